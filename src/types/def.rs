//! Defined types (sections 2.3.8 and 3.1): function, structure and array types, declared in recursion groups and made
//! canonical for the whole process. Two types are equal if their groups are equal and they have the same place
//! in them; then they have the same [`TypeId`].
//!
//! ```text
//!  FuncType, StructType, ArrayType      owners: keep the group, and all that it mentions, registered
//!      |
//!      v
//!  RecGroup { base, types, needs } ---> groups that the types mention
//!      ^
//!      : weak
//!  registry: relative form -> group, TypeId -> group
//! ```
//!
//! A [`TypeId`] is a plain number and owns nothing: it means something as long as an owner of its type exists.
//! Modules own the types they declare, engines those of every module that was ever bound to them.

use super::{HeapType, StorageType, ValType};
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// What a defined type defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefKind {
    /// A function type.
    Func,
    /// A structure type.
    Struct,
    /// An array type.
    Array,
}

/// The number of a canonical type, and what kind of type it is. Equal for equal types, and only for those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId {
    index: u32,
    kind: DefKind,
}

/// Marks an index as a place in the group that is being declared.
const RELATIVE: u32 = 1 << 31;
/// More types above one another than this are not allowed.
const MAX_DEPTH: usize = 63;
/// More types than this are not registered at a time.
const MAX_TYPES: u32 = 1 << 30;

impl TypeId {
    /// In the declaration of a group: the type at this place of the same group.
    pub fn in_group(place: u32, kind: DefKind) -> TypeId {
        TypeId { index: place | RELATIVE, kind }
    }

    /// Whether it is a place in the group that is being declared, and means nothing outside of the declaration.
    pub fn is_in_group(self) -> bool {
        self.index & RELATIVE != 0
    }

    /// The id of a function type whose number is known.
    pub fn func(index: u32) -> TypeId {
        TypeId { index, kind: DefKind::Func }
    }

    /// The number, which generated code compares. Small: types in use are numbered densely.
    pub fn index(self) -> u32 {
        self.index
    }

    /// What kind of type it is.
    pub fn kind(self) -> DefKind {
        self.kind
    }

    /// The type; `None` if nothing owns it any more.
    pub fn resolve(self) -> Option<DefType> {
        let registry = registry();
        let group = registry.by_index.get(&self.index)?.upgrade()?;
        drop(registry);
        let place = self.index - group.base;
        Some(DefType::of(group, place))
    }

    /// Whether values of this type are values of `other` too (section 3.3.7): it is the same, or declared below it.
    pub fn is_subtype_of(self, other: TypeId) -> bool {
        self == other || self.kind == other.kind && self.resolve().is_some_and(|ty| ty.supertypes().contains(&other))
    }
}

/// A defined type as it is declared: what it is, and what it is below.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SubType {
    /// Whether nothing may be declared below it.
    pub is_final: bool,
    /// The type that it is declared below.
    pub supertype: Option<TypeId>,
    /// What it is.
    pub composite: CompositeType,
}

/// A function, structure or array type, without its place among others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CompositeType {
    /// Parameters to results.
    Func {
        /// Parameters and behind them the results.
        all: Box<[ValType]>,
        /// How many of them are parameters.
        params: usize,
    },
    /// Fields.
    Struct(Box<[FieldType]>),
    /// The element.
    Array(FieldType),
}

/// A field of a structure, or the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldType {
    /// What is stored.
    pub storage: StorageType,
    /// Whether it may be set after creation.
    pub mutable: bool,
}

impl FieldType {
    /// Whether a field of this type can be used as one of type `other` (section 3.3.6): what may be written must be the same.
    fn matches(self, other: FieldType) -> bool {
        self.mutable == other.mutable
            && match (self.storage, other.storage) {
                (StorageType::Val(a), StorageType::Val(b)) if !self.mutable => a.matches(b),
                (a, b) => a == b,
            }
    }
}

impl CompositeType {
    /// The function type with these parameters and results.
    pub fn func(params: impl IntoIterator<Item = ValType>, results: impl IntoIterator<Item = ValType>) -> Self {
        let mut all: Vec<ValType> = params.into_iter().collect();
        let params = all.len();
        all.extend(results);
        CompositeType::Func { all: all.into(), params }
    }

    /// What kind of type it is.
    pub fn kind(&self) -> DefKind {
        match self {
            CompositeType::Func { .. } => DefKind::Func,
            CompositeType::Struct(_) => DefKind::Struct,
            CompositeType::Array(_) => DefKind::Array,
        }
    }

    /// Whether what is of this type can be used as what is of `other` (section 3.3.6).
    fn matches(&self, other: &CompositeType) -> bool {
        match (self, other) {
            (CompositeType::Func { all: a, params: p }, CompositeType::Func { all: b, params: q }) => {
                let contravariant = |(a, b): (&ValType, &ValType)| b.matches(*a);
                let covariant = |(a, b): (&ValType, &ValType)| a.matches(*b);
                (p, a.len()) == (q, b.len())
                    && a[..*p].iter().zip(&b[..*q]).all(contravariant)
                    && a[*p..].iter().zip(&b[*q..]).all(covariant)
            }
            (CompositeType::Struct(a), CompositeType::Struct(b)) => {
                a.len() >= b.len() && a.iter().zip(b).all(|(a, b)| a.matches(*b))
            }
            (CompositeType::Array(a), CompositeType::Array(b)) => a.matches(*b),
            _ => false,
        }
    }

    /// Visits every id in it.
    fn each_id(&mut self, mut visit: impl FnMut(&mut TypeId)) {
        let mut value = |ty: &mut ValType| {
            if let ValType::Ref(ty) = ty
                && let HeapType::Concrete(id) = &mut ty.heap
            {
                visit(id);
            }
        };
        let mut field = |field: &mut FieldType| {
            if let StorageType::Val(ty) = &mut field.storage {
                value(ty);
            }
        };
        match self {
            CompositeType::Func { all, .. } => all.iter_mut().for_each(value),
            CompositeType::Struct(fields) => fields.iter_mut().for_each(field),
            CompositeType::Array(element) => field(element),
        }
    }
}

/// A registered recursion group.
struct RecGroup {
    /// Index of the first type; the others follow.
    base: u32,
    types: Box<[SubType]>,
    /// The types above each, the outermost first.
    supertypes: Box<[Box<[TypeId]>]>,
    /// The form that the registry knows the group by: references within the group by place.
    relative: Arc<[SubType]>,
    /// The groups whose types are mentioned.
    needs: Vec<Arc<RecGroup>>,
}

impl Drop for RecGroup {
    fn drop(&mut self) {
        registry().remove(self);
        // Not by recursion: a module can chain a million groups.
        let mut work = mem::take(&mut self.needs);
        while let Some(group) = work.pop() {
            if let Some(mut group) = Arc::into_inner(group) {
                work.append(&mut group.needs);
            }
        }
    }
}

#[derive(Default)]
struct Registry {
    by_form: HashMap<Arc<[SubType]>, Weak<RecGroup>>,
    by_index: HashMap<u32, Weak<RecGroup>>,
    /// Ranges that were given back, by their length.
    free: HashMap<u32, Vec<u32>>,
    end: u32,
}

impl Registry {
    fn remove(&mut self, group: &RecGroup) {
        // An equal group may have been registered since the last owner of this one went.
        if self.by_form.get(&group.relative).is_some_and(|known| known.strong_count() == 0) {
            self.by_form.remove(&group.relative);
        }
        let count = group.types.len() as u32;
        for index in group.base..group.base + count {
            self.by_index.remove(&index);
        }
        if self.by_index.is_empty() {
            // Nothing stays allocated when nothing is left.
            *self = Registry::default();
            return;
        }
        self.free.entry(count).or_default().push(group.base);
    }

    fn reserve(&mut self, count: u32) -> Option<u32> {
        if let Some(base) = self.free.get_mut(&count).and_then(Vec::pop) {
            return Some(base);
        }
        let base = self.end;
        self.end = base.checked_add(count).filter(|end| *end <= MAX_TYPES)?;
        Some(base)
    }

    /// The groups that declare these types, each once, and whether all were found: those that are dying are not.
    /// They must not be dropped before the registry is unlocked.
    fn owners(&self, mut ids: Vec<TypeId>) -> (Vec<Arc<RecGroup>>, bool) {
        ids.sort_unstable();
        let mut owners: Vec<Arc<RecGroup>> = Vec::new();
        for id in ids {
            let Some(group) = self.by_index.get(&id.index).and_then(Weak::upgrade) else {
                return (owners, false);
            };
            if owners.last().is_none_or(|last| !Arc::ptr_eq(last, &group)) {
                owners.push(group);
            }
        }
        (owners, true)
    }
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

fn registry() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Registers a recursion group and gives its types. References within the group are by [`TypeId::in_group`]; every
/// other id must be of a type that the caller owns. `None` if one is not, or if there are too many types.
pub fn register(types: Vec<SubType>) -> Option<Vec<DefType>> {
    let group = register_group(types)?;
    Some((0..group.types.len() as u32).map(|place| DefType::of(group.clone(), place)).collect())
}

fn register_group(types: Vec<SubType>) -> Option<Arc<RecGroup>> {
    let relative: Arc<[SubType]> = types.into();
    let count = relative.len() as u32;
    let mut ids = Vec::new();
    let mut absolute: Box<[SubType]> = relative.to_vec().into();
    let mut each = |visit: &mut dyn FnMut(&mut TypeId)| {
        for ty in &mut absolute {
            ty.supertype.iter_mut().for_each(&mut *visit);
            ty.composite.each_id(&mut *visit);
        }
    };
    let mut inside = true;
    each(&mut |id| match id.is_in_group() {
        false => ids.push(*id),
        true => {
            let meant = relative.get((id.index & !RELATIVE) as usize);
            inside &= meant.is_some_and(|ty| ty.composite.kind() == id.kind);
        }
    });
    if !inside {
        return None;
    }
    let mut registry = registry();
    if let Some(known) = registry.by_form.get(&relative).and_then(Weak::upgrade) {
        return Some(known);
    }
    let (needs, complete) = registry.owners(ids);
    let Some(base) = complete.then(|| registry.reserve(count)).flatten() else {
        drop(registry);
        return None;
    };
    each(&mut |id| {
        if id.is_in_group() {
            id.index = base + (id.index & !RELATIVE);
        }
    });
    let mut supertypes: Vec<Box<[TypeId]>> = Vec::with_capacity(absolute.len());
    for ty in &absolute {
        // A supertype is declared before the types below it.
        let above = |id: TypeId| match id.index.checked_sub(base).filter(|place| *place < count) {
            Some(place) => supertypes.get(place as usize).map_or(Vec::new(), |list| list.to_vec()),
            None => {
                let group = needs.iter().find(|g| id.index.wrapping_sub(g.base) < g.types.len() as u32);
                group.map_or(Vec::new(), |g| g.supertypes[(id.index - g.base) as usize].to_vec())
            }
        };
        let list = ty.supertype.map_or(Vec::new(), |id| above(id).into_iter().chain([id]).collect());
        supertypes.push(list.into());
    }
    let group =
        Arc::new(RecGroup { base, types: absolute, supertypes: supertypes.into(), relative: relative.clone(), needs });
    for index in base..base + count {
        registry.by_index.insert(index, Arc::downgrade(&group));
    }
    registry.by_form.insert(relative, Arc::downgrade(&group));
    Some(group)
}

/// A defined type in its group, which it keeps.
#[derive(Clone)]
pub struct Member {
    group: Arc<RecGroup>,
    place: u32,
}

impl Member {
    fn sub(&self) -> &SubType {
        &self.group.types[self.place as usize]
    }

    /// The canonical id.
    pub fn id(&self) -> TypeId {
        TypeId { index: self.group.base + self.place, kind: self.sub().composite.kind() }
    }

    /// Whether nothing is below it.
    pub fn is_final(&self) -> bool {
        self.sub().is_final
    }

    /// The types above it, the outermost first.
    pub fn supertypes(&self) -> &[TypeId] {
        &self.group.supertypes[self.place as usize]
    }
}

impl PartialEq for Member {
    fn eq(&self, other: &Member) -> bool {
        self.place == other.place && Arc::ptr_eq(&self.group, &other.group)
    }
}

impl Eq for Member {}

impl Hash for Member {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.group.base + self.place).hash(state);
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.id().index, self.sub())
    }
}

/// A defined type. Owns it, and is cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DefType {
    /// A function type.
    Func(FuncType),
    /// A structure type.
    Struct(StructType),
    /// An array type.
    Array(ArrayType),
}

impl DefType {
    fn of(group: Arc<RecGroup>, place: u32) -> DefType {
        let kind = group.types[place as usize].composite.kind();
        let member = Member { group, place };
        match kind {
            DefKind::Func => DefType::Func(FuncType(member)),
            DefKind::Struct => DefType::Struct(StructType(member)),
            DefKind::Array => DefType::Array(ArrayType(member)),
        }
    }

    /// Its place among the types of the process.
    pub fn member(&self) -> &Member {
        match self {
            DefType::Func(ty) => &ty.0,
            DefType::Struct(ty) => &ty.0,
            DefType::Array(ty) => &ty.0,
        }
    }

    /// The canonical id.
    pub fn id(&self) -> TypeId {
        self.member().id()
    }

    /// Whether nothing is below it.
    pub fn is_final(&self) -> bool {
        self.member().is_final()
    }

    /// The types above it, the outermost first.
    pub fn supertypes(&self) -> &[TypeId] {
        self.member().supertypes()
    }

    /// Whether it may be declared below its supertype (section 3.2.11): that is not final, has room below it, and what is
    /// of this type can be used as what is of that. Decoded modules have been checked; what the host declares has not.
    pub fn is_valid(&self) -> bool {
        let Some(above) = self.supertypes().last() else { return true };
        let Some(above) = above.resolve() else { return false };
        !above.is_final()
            && self.supertypes().len() <= MAX_DEPTH
            && self.member().sub().composite.matches(&above.member().sub().composite)
    }

    /// The function type, if it is one.
    pub fn as_func(&self) -> Option<&FuncType> {
        if let DefType::Func(ty) = self { Some(ty) } else { None }
    }
}

/// A type that is declared alone and final.
fn alone(composite: CompositeType) -> Member {
    let group = register_group(vec![SubType { is_final: true, supertype: None, composite }]);
    Member { group: group.expect("the types have owners"), place: 0 }
}

/// A function type: parameters to results.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct FuncType(Member);

impl FuncType {
    /// The type with these parameters and results, declared alone and final. Types that they mention must have owners.
    ///
    /// # Panics
    /// If one of them has not.
    pub fn new(params: impl IntoIterator<Item = ValType>, results: impl IntoIterator<Item = ValType>) -> FuncType {
        FuncType(alone(CompositeType::func(params, results)))
    }

    fn all(&self) -> (&[ValType], usize) {
        match &self.0.sub().composite {
            CompositeType::Func { all, params } => (all, *params),
            _ => (&[], 0),
        }
    }

    /// The parameter types, in order.
    pub fn params(&self) -> &[ValType] {
        let (all, params) = self.all();
        &all[..params]
    }

    /// The result types, in order.
    pub fn results(&self) -> &[ValType] {
        let (all, params) = self.all();
        &all[params..]
    }

    /// Whether any parameter or result is a reference.
    pub fn has_refs(&self) -> bool {
        self.all().0.iter().any(|t| t.is_ref())
    }

    /// The canonical id.
    pub fn id(&self) -> TypeId {
        self.0.id()
    }

    /// Its place among the types of the process.
    pub fn member(&self) -> &Member {
        &self.0
    }

    /// Whether functions of this type may be used where `other` is expected (section 3.3.7).
    pub fn is_subtype_of(&self, other: &FuncType) -> bool {
        self == other || self.0.supertypes().contains(&other.id())
    }
}

/// A structure type: fields.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StructType(Member);

impl StructType {
    /// The type with these fields, declared alone and final. Types that they mention must have owners.
    ///
    /// # Panics
    /// If one of them has not.
    pub fn new(fields: impl IntoIterator<Item = FieldType>) -> StructType {
        StructType(alone(CompositeType::Struct(fields.into_iter().collect())))
    }

    /// The fields, in order.
    pub fn fields(&self) -> &[FieldType] {
        match &self.0.sub().composite {
            CompositeType::Struct(fields) => fields,
            _ => &[],
        }
    }
}

/// An array type: what its elements are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArrayType(Member);

impl ArrayType {
    /// The type with these elements, declared alone and final. The type that they mention must have an owner.
    ///
    /// # Panics
    /// If it has not.
    pub fn new(element: FieldType) -> ArrayType {
        ArrayType(alone(CompositeType::Array(element)))
    }

    /// The elements.
    pub fn element(&self) -> FieldType {
        match &self.0.sub().composite {
            CompositeType::Array(element) => *element,
            _ => FieldType { storage: StorageType::I8, mutable: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::RefType;

    fn reference(id: TypeId) -> ValType {
        ValType::Ref(RefType { nullable: true, heap: HeapType::Concrete(id) })
    }

    fn list_of(next: TypeId, value: ValType) -> SubType {
        let field = |ty| FieldType { storage: StorageType::Val(ty), mutable: true };
        let composite = CompositeType::Struct([field(value), field(reference(next))].into());
        SubType { is_final: false, supertype: None, composite }
    }

    /// The group that the id is of. The tests that run at the same time may be given the same id, for others.
    fn group_of(id: TypeId) -> Weak<RecGroup> {
        registry().by_index.get(&id.index).expect("a registered type").clone()
    }

    fn known(group: &Weak<RecGroup>) -> bool {
        registry().by_index.values().any(|known| known.ptr_eq(group)) && group.strong_count() > 0
    }

    #[test]
    fn equal_types_have_equal_ids() {
        let a = FuncType::new([ValType::I32, ValType::F64], [ValType::V128]);
        let b = FuncType::new([ValType::I32, ValType::F64], [ValType::V128]);
        let c = FuncType::new([ValType::I32], [ValType::F64, ValType::V128]);
        assert_eq!((a.id(), &a), (b.id(), &b));
        assert_ne!(a.id(), c.id());
        assert_eq!(c.params(), [ValType::I32]);
        assert_eq!(c.results(), [ValType::F64, ValType::V128]);
    }

    #[test]
    fn groups_are_compared_as_a_whole() {
        let own = TypeId::in_group(0, DefKind::Struct);
        let other = TypeId::in_group(1, DefKind::Struct);
        let single = register(vec![list_of(own, ValType::I64)]).unwrap();
        let again = register(vec![list_of(own, ValType::I64)]).unwrap();
        let pair = register(vec![list_of(other, ValType::I64), list_of(own, ValType::I64)]).unwrap();
        assert_eq!(single[0].id(), again[0].id());
        assert!(pair.iter().all(|ty| ty.id() != single[0].id()));
        let DefType::Struct(ty) = &pair[0] else { panic!("a structure") };
        assert_eq!(ty.fields()[1].storage, StorageType::Val(reference(pair[1].id())), "resolved within the group");
        assert!(register(vec![list_of(TypeId::in_group(1, DefKind::Struct), ValType::I64)]).is_none());
    }

    #[test]
    fn supertypes_are_listed_from_the_outermost() {
        let below = |supertype, value| {
            let composite =
                CompositeType::Struct([FieldType { storage: StorageType::Val(value), mutable: false }].into());
            SubType { is_final: false, supertype, composite }
        };
        let top = register(vec![below(None, ValType::ANYREF)]).unwrap().remove(0);
        let own = TypeId::in_group(0, DefKind::Struct);
        let two = register(vec![below(Some(top.id()), ValType::EQREF), below(Some(own), ValType::I31REF)]).unwrap();
        assert_eq!(two[1].supertypes(), [top.id(), two[0].id()]);
        assert!(two[1].id().is_subtype_of(top.id()) && !top.id().is_subtype_of(two[1].id()));
    }

    #[test]
    fn types_without_owners_are_forgotten() {
        let mut first = register(vec![list_of(TypeId::in_group(0, DefKind::Struct), ValType::V128)]).unwrap();
        let first = first.remove(0);
        let user = FuncType::new([reference(first.id())], []);
        let (list, used) = (group_of(first.id()), group_of(user.id()));
        assert!(known(&list) && known(&used));
        drop(first);
        assert!(known(&list), "the function type mentions it");
        drop(user);
        assert!(!known(&list) && !known(&used));
        assert!(registry().by_index.values().all(|group| !group.ptr_eq(&list) && !group.ptr_eq(&used)));
    }

    #[test]
    fn long_chains_end_without_recursion() {
        let mut last = FuncType::new([ValType::F32, ValType::F32], []);
        for _ in 0..200_000 {
            last = FuncType::new([reference(last.id())], [ValType::F32]);
        }
        drop(last);
    }
}
