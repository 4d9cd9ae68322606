//! What a generated module shows to its host, read from its bytes by the parser that both engines share.

use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, Operator, Parser, Payload, RecGroup, RefType, SubType, TypeRef, ValType,
};

/// The exported functions in the order of the module.
pub fn functions(binary: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        if let Payload::ExportSection(exports) = payload.expect("the generated module is valid") {
            let exports = exports.into_iter().map(|export| export.expect("the generated module is valid"));
            names.extend(exports.filter(|it| it.kind == ExternalKind::Func).map(|it| it.name.to_owned()));
        }
    }
    names
}

/// Whether the hosts can have all that the module imports, and whether it comes to an end: a wait on a shared memory may not.
pub fn can_be_answered(binary: &[u8]) -> bool {
    let mut types = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        match payload.expect("the generated module is valid") {
            Payload::TypeSection(section) => {
                let groups = section.into_iter().map(|group| group.expect("the generated module is valid"));
                // A host function has a type that was declared alone.
                let declared = |group: RecGroup| {
                    let alone = group.types().len() == 1;
                    group.into_types().map(move |ty| function(ty).filter(|_| alone)).collect::<Vec<_>>()
                };
                types = groups.flat_map(declared).collect();
            }
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

/// Whether the tests know the type.
fn is_plain(ty: &ValType) -> bool {
    match ty {
        ValType::Ref(ty) => [RefType::FUNCREF, RefType::EXTERNREF].contains(ty),
        _ => true,
    }
}
