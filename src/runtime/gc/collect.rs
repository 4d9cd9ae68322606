//! The copying of what is reachable (Cheney 1970) from the space in use to the other.
//!
//! ```text
//!  other space:  | copied, references updated | copied, not yet looked at | free ...
//!                ^ start                      ^ scan                      ^ free
//! ```
//! Whoever knows of a reference has it [forwarded](Evacuation::forward): the object is copied at its first time, and its old
//! place then says where it is. Objects that are copied are [scanned](Evacuation::scan): what they refer to is
//! forwarded, and pointers to objects of the store are shown to the caller, who traces those.

use super::heap::Heap;
use super::object::{FORWARD, HEADER, HOST, HOST_SIZE, is_i31};
use super::shape::{Holds, Shape};
use crate::runtime::object::Object;
use std::ptr;

/// A collection of a heap under way. Nothing else may use the heap meanwhile.
#[derive(Debug)]
pub struct Evacuation<'a> {
    heap: &'a Heap,
    shapes: &'a [Shape],
    base: *mut u8,
    start: u64,
    scan: u64,
    free: u64,
}

impl<'a> Evacuation<'a> {
    /// Begins a collection; `shapes` are those of all types in the heap. None if there is no memory for it: then nothing is
    /// changed.
    pub fn begin(heap: &'a Heap, shapes: &'a [Shape]) -> Option<Evacuation<'a>> {
        let start = heap.begin()?;
        Some(Evacuation { heap, shapes, base: heap.base(), start, scan: start, free: start })
    }

    /// The new reference of what `reference` refers to, which is copied unless it already was. Null and `i31`s stay.
    ///
    /// # Safety
    /// `reference` is one to a whole object of the space in use, or not to an object.
    #[inline(always)]
    pub unsafe fn forward(&mut self, reference: u32) -> u32 {
        if reference == 0 || is_i31(reference) {
            return reference;
        }
        let from = self.base.wrapping_add(reference as usize);
        // SAFETY: objects begin with a header of 8 bytes.
        let header = unsafe { from.cast::<u64>().read() };
        if header as u32 == FORWARD {
            return (header >> 32) as u32;
        }
        let size = self.size(header);
        let new = self.free as u32;
        // SAFETY: the other space has room for all objects of this one; both places are apart.
        unsafe {
            let to = self.base.wrapping_add(new as usize);
            to.cast::<u64>().write(header);
            copy_words(from.add(8), to.add(8), size - 8);
            from.cast::<u64>().write(u64::from(new) << 32 | u64::from(FORWARD));
        }
        self.free += size;
        new
    }

    #[inline(always)]
    fn size(&self, header: u64) -> u64 {
        if header as u32 == HOST {
            return HOST_SIZE;
        }
        self.shapes[header as u32 as usize].size((header >> 32) as u32)
    }

    /// Replaces the reference at a place by the new one.
    ///
    /// # Safety
    /// As [`Evacuation::forward`]; the place is valid, and visited once.
    #[inline(always)]
    pub unsafe fn forward_at(&mut self, place: *mut u32) {
        // SAFETY: the caller's promise.
        unsafe {
            let old = place.read();
            let new = self.forward(old);
            place.write(new);
        }
    }

    /// Forwards everything that copied objects refer to, until there are no more. Pointers to objects of the store are shown to
    /// `visit`. Returns how many words were looked at.
    ///
    /// # Safety
    /// All objects are whole.
    pub unsafe fn scan(&mut self, visit: &mut dyn FnMut(*const Object)) -> usize {
        let from = self.scan;
        while self.scan < self.free {
            let at = self.base.wrapping_add(self.scan as usize);
            // SAFETY: between `scan` and `free` lie whole objects.
            self.scan += unsafe { self.scan_object(at, visit) };
        }
        ((self.scan - from) / 8) as usize
    }

    /// Scans the object at an address. Returns its size.
    ///
    /// # Safety
    /// It is a whole object.
    #[inline(always)]
    unsafe fn scan_object(&mut self, at: *mut u8, visit: &mut dyn FnMut(*const Object)) -> u64 {
        // SAFETY: the shapes say where an object has what.
        unsafe {
            let header = at.cast::<u64>().read();
            let (index, length) = (header as u32, (header >> 32) as u32);
            let fields = at.add(HEADER as usize);
            if index == HOST {
                visit_pointer(fields, visit);
                return HOST_SIZE;
            }
            let shapes = self.shapes;
            match &shapes[index as usize] {
                Shape::Small { size, references, pointers } => {
                    for i in ones(*references) {
                        self.forward_at(fields.cast::<u32>().add(i));
                    }
                    for i in ones(*pointers) {
                        visit_pointer(fields.add(8 * i), visit);
                    }
                    u64::from(*size)
                }
                Shape::Large { size, references, pointers } => {
                    for offset in references {
                        self.forward_at(at.add(*offset as usize).cast());
                    }
                    for offset in pointers {
                        visit_pointer(at.add(*offset as usize), visit);
                    }
                    u64::from(*size)
                }
                shape @ Shape::Array { holds, .. } => {
                    match holds {
                        Holds::Number => {}
                        Holds::Reference => {
                            for i in 0..length as usize {
                                self.forward_at(fields.cast::<u32>().add(i));
                            }
                        }
                        Holds::Pointer => {
                            for i in 0..length as usize {
                                visit_pointer(fields.add(8 * i), visit);
                            }
                        }
                    }
                    shape.size(length)
                }
                Shape::None => unreachable!("an object of the heap has a type that the store knows"),
            }
        }
    }

    /// Ends the collection: the other space is the one in use. What was not forwarded is gone.
    pub fn finish(self) {
        debug_assert_eq!(self.scan, self.free);
        self.heap.flip(self.free);
    }

    /// Bytes of what was found reachable so far.
    pub fn copied(&self) -> u64 {
        self.free - self.start
    }
}

/// Copies objects' words, most often two or three.
///
/// # Safety
/// Both places have `size` bytes, a multiple of 8, and are apart.
#[inline(always)]
unsafe fn copy_words(from: *const u8, to: *mut u8, size: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        if size > 64 {
            ptr::copy_nonoverlapping(from, to, size as usize);
            return;
        }
        let (from, to) = (from.cast::<u64>(), to.cast::<u64>());
        for i in 0..size as usize / 8 {
            to.add(i).write(from.add(i).read());
        }
    }
}

/// # Safety
/// A pointer to an object of the store, or null, lies there.
#[inline(always)]
unsafe fn visit_pointer(place: *mut u8, visit: &mut dyn FnMut(*const Object)) {
    // SAFETY: the caller's promise.
    let object = unsafe { place.cast::<*const Object>().read() };
    if !object.is_null() {
        visit(object);
    }
}

/// The places of the ones in a word.
#[inline(always)]
fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (bits != 0).then(|| {
            let place = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            place
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::gc::heap::Window;
    use crate::runtime::gc::object::i31;
    use std::collections::HashMap;

    /// The types of the tests: by index.
    const PAIR: u32 = 0;
    const LEAF: u32 = 1;
    const MIXED: u32 = 2;
    const LARGE: u32 = 3;
    const ARRAY: u32 = 4;
    const BYTES: u32 = 5;
    const POINTERS: u32 = 6;

    fn shapes() -> Vec<Shape> {
        use Holds::*;
        vec![
            Shape::of_structure(16, [(8, Reference), (12, Reference)]),
            Shape::of_structure(24, [(8, Number), (16, Number)]),
            Shape::of_structure(32, [(8, Number), (12, Reference), (16, Pointer), (24, Reference)]),
            Shape::of_structure(1016, [(8, Reference), (1000, Pointer), (1008, Reference)]),
            Shape::Array { element: 4, holds: Reference },
            Shape::Array { element: 1, holds: Number },
            Shape::Array { element: 8, holds: Pointer },
        ]
    }

    /// The same numbers in each run.
    struct Random(u64);
    impl Random {
        fn below(&mut self, n: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % n
        }
    }

    /// What an object should be: its references by name (odd: an i31; 0: null), its pointers, and a number.
    #[derive(Clone, Debug, PartialEq)]
    struct Node {
        ty: u32,
        references: Vec<u32>,
        pointers: Vec<usize>,
        number: u64,
    }

    /// A heap beside a model of it, in which objects have names that stay: even numbers from 2.
    struct World {
        heap: Heap,
        /// Outlives the heap.
        _window: Box<Window>,
        shapes: Vec<Shape>,
        model: HashMap<u32, Node>,
        /// Where the objects are, by name.
        places: HashMap<u32, u32>,
        roots: Vec<u32>,
        names: u32,
        always: bool,
        random: Random,
    }

    impl World {
        fn new(seed: u64, always: bool) -> World {
            let mut window = Box::new(Window::none());
            let heap = Heap::new(&mut *window, 64 << 20, always).unwrap();
            World {
                heap,
                _window: window,
                shapes: shapes(),
                model: HashMap::new(),
                places: HashMap::new(),
                roots: vec![0; 8],
                names: 0,
                always,
                random: Random(seed),
            }
        }

        fn place(&self, name: u32) -> u32 {
            if name == 0 || is_i31(name) { name } else { self.places[&name] }
        }

        /// A name of something that the roots reach, null, or an i31.
        fn any_name(&mut self) -> u32 {
            match self.random.below(4) {
                0 => 0,
                1 => i31(self.random.below(1 << 31) as u32),
                _ => {
                    // A walk from a root.
                    let mut name = self.roots[self.random.below(self.roots.len() as u64) as usize];
                    for _ in 0..self.random.below(6) {
                        let next = &self.model.get(&name).map_or(&[][..], |node| &node.references);
                        if next.is_empty() {
                            break;
                        }
                        name = next[self.random.below(next.len() as u64) as usize];
                    }
                    name
                }
            }
        }

        fn reachable(&self) -> std::collections::HashSet<u32> {
            let mut found = std::collections::HashSet::new();
            let mut work = self.roots.clone();
            while let Some(name) = work.pop() {
                if name != 0 && !is_i31(name) && found.insert(name) {
                    work.extend(&self.model[&name].references);
                }
            }
            found
        }

        fn random_node(&mut self) -> Node {
            let ty = self.random.below(7) as u32;
            let many = self.random.below(20) as usize;
            let (references, pointers) = match ty {
                PAIR => (2, 0),
                LEAF => (0, 0),
                MIXED | LARGE => (2, 1),
                ARRAY => (many, 0),
                BYTES => (0, 0),
                _ => (0, many),
            };
            let references = (0..references).map(|_| self.any_name()).collect();
            let pointers = (0..pointers).map(|_| self.random.below(1000) as usize * 16).collect();
            let number = if ty == BYTES { self.random.below(300) } else { self.random.below(u64::MAX) };
            Node { ty, references, pointers, number }
        }

        fn size(&self, node: &Node) -> u64 {
            self.shapes[node.ty as usize].size(length(node))
        }

        fn allocate(&mut self) {
            let node = self.random_node();
            let size = self.size(&node);
            // What the new object refers to is rooted until it is written.
            let rooted = self.roots.len();
            self.roots.extend(&node.references);
            if self.always {
                self.collect();
            }
            let place = self.heap.bump(size).unwrap_or_else(|| {
                self.collect();
                assert!(self.heap.resize(size, 0));
                self.heap.bump(size).unwrap()
            });
            self.roots.truncate(rooted);
            self.names += 2;
            let name = self.names;
            // SAFETY: the heap gave the place.
            unsafe { self.write(place, &node) };
            self.model.insert(name, node);
            self.places.insert(name, place);
            let root = self.random.below(self.roots.len() as u64) as usize;
            self.roots[root] = name;
        }

        unsafe fn write(&self, place: u32, node: &Node) {
            let (references, pointers, number) = fields(node);
            // SAFETY: the caller's promise.
            unsafe {
                self.heap.at(place).write_bytes(0xee, self.size(node) as usize);
                self.heap.write_header(place, node.ty, length(node));
                if let Some((offset, size)) = number {
                    self.heap.write(place, offset, size, node.number.into());
                }
                for (offset, name) in references.iter().zip(&node.references) {
                    self.heap.write(place, *offset, 4, self.place(*name).into());
                }
                for (offset, pointer) in pointers.iter().zip(&node.pointers) {
                    self.heap.write(place, *offset, 8, *pointer as u128);
                }
            }
        }

        /// Changes a reference of some object.
        fn mutate(&mut self) {
            let from = self.any_name();
            let to = self.any_name();
            let Some(node) = self.model.get_mut(&from).filter(|node| !node.references.is_empty()) else { return };
            let which = from as usize % node.references.len();
            node.references[which] = to;
            let offset = fields(node).0[which];
            // SAFETY: the object has the field.
            unsafe { self.heap.write(self.place(from), offset, 4, self.place(to).into()) };
        }

        fn collect(&mut self) {
            let alive = self.reachable();
            let mut moved = HashMap::new();
            let mut seen = Vec::new();
            let mut evacuation = Evacuation::begin(&self.heap, &self.shapes).unwrap();
            for root in &self.roots {
                let old = self.place(*root);
                // SAFETY: a root is a reference to an object.
                let new = unsafe { evacuation.forward(old) };
                if new != 0 && !is_i31(new) {
                    moved.insert(*root, new);
                }
            }
            // SAFETY: all objects are whole.
            let words = unsafe { evacuation.scan(&mut |pointer| seen.push(pointer as usize)) };
            assert_eq!(words as u64 * 8, evacuation.copied());
            evacuation.finish();
            // The new places of all others are found by following the model.
            let mut work: Vec<u32> = moved.keys().copied().collect();
            let mut expected = Vec::new();
            let mut total = 0;
            self.places = moved;
            let mut done = std::collections::HashSet::new();
            while let Some(name) = work.pop() {
                if !done.insert(name) {
                    continue;
                }
                let (place, node) = (self.place(name), self.model[&name].clone());
                total += self.size(&node);
                expected.extend(node.pointers.iter().copied().filter(|pointer| *pointer != 0));
                for (offset, target) in fields(&node).0.iter().zip(&node.references) {
                    // SAFETY: the object has the field.
                    let found = unsafe { self.heap.read(place, *offset, 4) } as u32;
                    if *target == 0 || is_i31(*target) {
                        assert_eq!(found, *target);
                    } else {
                        assert_eq!(*self.places.entry(*target).or_insert(found), found, "one object, one place");
                        work.push(*target);
                    }
                }
                self.check(name);
            }
            assert_eq!(done, alive);
            assert_eq!(self.heap.used(), total);
            seen.sort_unstable();
            expected.sort_unstable();
            assert_eq!(seen, expected);
            self.model.retain(|name, _| alive.contains(name));
        }

        fn check(&self, name: u32) {
            let (place, node) = (self.place(name), &self.model[&name]);
            let (_, pointers, number) = fields(node);
            // SAFETY: the object has the fields.
            unsafe {
                assert_eq!((self.heap.type_of(place), self.heap.length_of(place)), (node.ty, length(node)));
                if let Some((offset, size)) = number {
                    assert_eq!(self.heap.read(place, offset, size), node.number.into());
                }
                for (offset, pointer) in pointers.iter().zip(&node.pointers) {
                    assert_eq!(self.heap.read(place, *offset, 8), *pointer as u128);
                }
            }
        }
    }

    fn length(node: &Node) -> u32 {
        match node.ty {
            ARRAY => node.references.len() as u32,
            POINTERS => node.pointers.len() as u32,
            BYTES => node.number as u32,
            _ => 0,
        }
    }

    /// Offsets of references and pointers, and offset and size of the number.
    fn fields(node: &Node) -> (Vec<u64>, Vec<u64>, Option<(u64, u32)>) {
        match node.ty {
            PAIR => (vec![8, 12], vec![], None),
            LEAF => (vec![], vec![], Some((16, 8))),
            MIXED => (vec![12, 24], vec![16], None),
            LARGE => (vec![8, 1008], vec![1000], None),
            ARRAY => ((0..node.references.len() as u64).map(|i| 8 + 4 * i).collect(), vec![], None),
            BYTES => (vec![], vec![], None),
            _ => (vec![], (0..node.pointers.len() as u64).map(|i| 8 + 8 * i).collect(), None),
        }
    }

    fn run(seed: u64, steps: usize, always: bool) -> World {
        let mut world = World::new(seed, always);
        for step in 0..steps {
            match world.random.below(8) {
                0 | 1 => world.mutate(),
                2 if step % 16 == 0 => {
                    let root = world.random.below(8) as usize;
                    world.roots[root] = 0;
                }
                3 if step % 16 == 0 => world.collect(),
                _ => world.allocate(),
            }
        }
        world.collect();
        world
    }

    #[test]
    fn random_graphs_survive_as_the_model_says() {
        let mut collections = 0;
        for seed in 1..=8 {
            collections += run(seed, 2000, false).heap.statistics().collections;
        }
        assert!(collections >= 8 * 4, "{collections}");
    }

    #[test]
    fn random_graphs_survive_a_collection_at_each_allocation() {
        let world = run(99, 600, true);
        assert!(world.heap.statistics().collections > 300);
    }

    #[test]
    fn what_nothing_reaches_is_gone() {
        let mut world = run(7, 500, false);
        world.roots.fill(0);
        world.collect();
        assert_eq!((world.heap.used(), world.model.len()), (0, 0));
    }

    #[test]
    fn objects_that_stand_for_others_are_copied_and_shown() {
        let mut window = Box::new(Window::none());
        let heap = Heap::new(&mut *window, 1 << 20, false).unwrap();
        let place = heap.bump(HOST_SIZE).unwrap();
        // SAFETY: the heap gave the place; the pointer is not followed.
        unsafe {
            heap.write_header(place, HOST, 0);
            heap.write(place, 8, 8, 0x1230);
            let mut evacuation = Evacuation::begin(&heap, &[]).unwrap();
            let new = evacuation.forward(place);
            assert_ne!(new, place);
            assert_eq!(evacuation.forward(place), new);
            let mut seen = Vec::new();
            evacuation.scan(&mut |pointer| seen.push(pointer as usize));
            evacuation.finish();
            assert_eq!(seen, [0x1230]);
            assert_eq!((heap.type_of(new), heap.host_object(new) as usize), (HOST, 0x1230));
        }
    }
}
