//! Types that are declared together (section 3.1.5): recursion groups, and types below others.

use super::error::Error;
use crate::types::{CompositeType, DefKind, DefType, FieldType, HeapType, RefType, SubType, TypeId, ValType, register};

/// A recursion group that is being declared: its types may mention each other, by their places in it. Equal groups are
/// the same wherever they are declared, also in modules.
///
/// ```
/// use tenon::{DefType, FieldType, StorageType, TypeGroup, ValType};
///
/// let mut group = TypeGroup::new();
/// let node = group.struct_at(0);
/// let field = |ty| FieldType { storage: StorageType::Val(ty), mutable: true };
/// group.add_struct([field(ValType::I32), field(node)]);
/// let types = group.declare()?;
///
/// let [DefType::Struct(node)] = &types[..] else { panic!("one structure") };
/// assert_eq!(node.fields().len(), 2);
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TypeGroup {
    types: Vec<SubType>,
}

impl TypeGroup {
    /// A group without types.
    pub fn new() -> TypeGroup {
        TypeGroup::default()
    }

    fn at(place: u32, kind: DefKind) -> ValType {
        ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(TypeId::in_group(place, kind)) })
    }

    /// The type of references, and null, to the structure type that is or will be the group's `place`th, counted from 0. To be used
    /// in this group only.
    pub fn struct_at(&self, place: u32) -> ValType {
        TypeGroup::at(place, DefKind::Struct)
    }

    /// The same for an array type.
    pub fn array_at(&self, place: u32) -> ValType {
        TypeGroup::at(place, DefKind::Array)
    }

    /// The same for a function type.
    pub fn func_at(&self, place: u32) -> ValType {
        TypeGroup::at(place, DefKind::Func)
    }

    fn add(&mut self, composite: CompositeType) -> &mut TypeGroup {
        self.types.push(SubType { is_final: true, supertype: None, composite });
        self
    }

    /// Adds a structure type.
    pub fn add_struct(&mut self, fields: impl IntoIterator<Item = FieldType>) -> &mut TypeGroup {
        self.add(CompositeType::Struct(fields.into_iter().collect()))
    }

    /// Adds an array type.
    pub fn add_array(&mut self, element: FieldType) -> &mut TypeGroup {
        self.add(CompositeType::Array(element))
    }

    /// Adds a function type.
    pub fn add_func(
        &mut self,
        params: impl IntoIterator<Item = ValType>,
        results: impl IntoIterator<Item = ValType>,
    ) -> &mut TypeGroup {
        self.add(CompositeType::func(params, results))
    }

    /// Says that types may be declared below the one that was added last.
    pub fn open(&mut self) -> &mut TypeGroup {
        if let Some(last) = self.types.last_mut() {
            last.is_final = false;
        }
        self
    }

    /// Declares the type that was added last below one that exists already.
    pub fn below(&mut self, supertype: &DefType) -> &mut TypeGroup {
        if let Some(last) = self.types.last_mut() {
            last.supertype = Some(supertype.id());
        }
        self
    }

    /// Declares the group, and gives its types. Fails if a reference is to a place that is not there or is something else, or a
    /// type does not match the one that it is below.
    pub fn declare(&self) -> Result<Vec<DefType>, Error> {
        if self.types.is_empty() {
            return Ok(Vec::new());
        }
        let types = register(self.types.clone()).ok_or_else(|| {
            Error::argument("a type mentions another that is not there, or a place of the group that is something else")
        })?;
        match types.iter().position(|ty| !ty.is_valid()) {
            Some(i) => Err(Error::argument(format!("type {i} does not match its supertype, or that is final"))),
            None => Ok(types),
        }
    }
}
