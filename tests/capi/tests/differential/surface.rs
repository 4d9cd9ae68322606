//! What a generated module shows to its host, read from its bytes by the parser that both engines share.

use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, Operator, Parser, Payload, RecGroup, RefType, SubType, TypeRef,
    TypeSectionReader, ValType,
};

/// The exported functions that the hosts can call, in the order of the module.
pub fn functions(binary: &[u8]) -> Vec<String> {
    let (mut types, mut functions, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for payload in Parser::new(0).parse_all(binary) {
        match payload.expect("the generated module is valid") {
            Payload::TypeSection(section) => types = func_types(section),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if let TypeRef::Func(ty) = import.expect("the generated module is valid").ty {
                        functions.push(ty);
                    }
                }
            }
            Payload::FunctionSection(section) => {
                functions.extend(section.into_iter().map(|ty| ty.expect("the generated module is valid")));
            }
            Payload::ExportSection(exports) => {
                let exports = exports.into_iter().map(|export| export.expect("the generated module is valid"));
                let of_functions = exports.filter(|it| it.kind == ExternalKind::Func);
                let callable = of_functions
                    .filter(|it| types[functions[it.index as usize] as usize].as_ref().is_some_and(has_plain_params));
                names.extend(callable.map(|it| it.name.to_owned()));
            }
            _ => {}
        }
    }
    names
}

fn func_types(section: TypeSectionReader<'_>) -> Vec<Option<FuncType>> {
    let groups = section.into_iter().map(|group| group.expect("the generated module is valid"));
    let declared = |group: RecGroup| {
        let alone = group.types().len() == 1;
        group.into_types().map(move |ty| function(ty).filter(|_| alone)).collect::<Vec<_>>()
    };
    groups.flat_map(declared).collect()
}

/// Whether the hosts can have all that the module imports, and whether it comes to an end: a wait on a shared memory may not.
pub fn can_be_answered(binary: &[u8]) -> bool {
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        match payload.expect("the generated module is valid") {
            Payload::TypeSection(section) => types = func_types(section),
            Payload::ImportSection(imports) => {
                let mut imports =
                    imports.into_imports().map(|import| import.expect("the generated module is valid").ty);
                if !imports.all(|ty| can_be_had(&types, ty)) {
                    return false;
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut operators = body.get_operators_reader().expect("the generated module is valid").into_iter();
                if operators.any(|op| {
                    matches!(op, Ok(Operator::MemoryAtomicWait32 { .. } | Operator::MemoryAtomicWait64 { .. }))
                }) {
                    return false;
                }
            }
            _ => {}
        }
    }
    true
}

/// The function type that a type is, if it is final and below no other.
fn function(ty: SubType) -> Option<FuncType> {
    match ty.composite_type.inner {
        CompositeInnerType::Func(func) if ty.is_final && ty.supertype_idxs.is_empty() => Some(func),
        _ => None,
    }
}

fn can_be_had(types: &[Option<FuncType>], ty: TypeRef) -> bool {
    match ty {
        TypeRef::Func(ty) => {
            let Some(ty) = &types[ty as usize] else { return false };
            // A host function with vectors takes raw values, and then it cannot give references.
            let vectors = ty.params().iter().chain(ty.results()).any(|ty| *ty == ValType::V128);
            let references = ty.results().iter().any(ValType::is_reference_type);
            ty.params().iter().chain(ty.results()).all(is_plain) && !(vectors && references)
        }
        TypeRef::Global(ty) => is_plain(&ty.content_type),
        TypeRef::Table(ty) => is_plain(&ValType::Ref(ty.element_type)) && !ty.table64,
        TypeRef::Memory(ty) => !ty.memory64 && !ty.shared && ty.page_size_log2.is_none(),
        TypeRef::Tag(ty) => {
            let ty = types[ty.func_type_idx as usize].as_ref();
            ty.is_some_and(|ty| ty.params().iter().all(|ty| !ty.is_reference_type()))
        }
        TypeRef::FuncExact(_) => false,
    }
}

fn has_plain_params(ty: &FuncType) -> bool {
    ty.params().iter().all(is_plain)
}

/// Whether the tests know the type.
fn is_plain(ty: &ValType) -> bool {
    match ty {
        ValType::Ref(ty) => [RefType::FUNCREF, RefType::EXTERNREF].contains(ty),
        _ => true,
    }
}
