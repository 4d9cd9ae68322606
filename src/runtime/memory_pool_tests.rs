use super::*;
use crate::runtime::memory_slot::MOVED_BY_MAPPING;
use crate::runtime::sys::testing::in_child;

const PAGE: usize = 64 << 10;
const RESIDENT: usize = 256 << 10;

/// A slot with exactly `len` bytes of zeros.
fn take(pool: &MemoryPool, reservation: usize, guard: usize, len: usize) -> io::Result<Box<MemorySlot>> {
    pool.take(&Wanted { reservation, guard, len, exactly: true, image: None })
}

/// Of the mapping that holds an address: where it ends, whether it can be written to, and the memory it takes up.
fn mapping(address: usize) -> (usize, bool, usize) {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut found = None;
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap();
        if let Some((from, to)) = first.split_once('-') {
            let hex = |digits| usize::from_str_radix(digits, 16).unwrap();
            if (hex(from)..hex(to)).contains(&address) {
                found = Some((hex(to), words.next() == Some("rw-p")));
            }
        } else if let (Some((end, writable)), "Rss:") = (found, first) {
            return (end, writable, words.next().unwrap().parse::<usize>().unwrap() << 10);
        }
    }
    panic!("{address:x}: {maps}");
}

fn bytes(slot: &mut MemorySlot) -> &mut [u8] {
    // SAFETY: accessible, and borrowed as long as the slot.
    unsafe { std::slice::from_raw_parts_mut(slot.base(), slot.accessible()) }
}

#[test]
fn slots_come_back_zeroed_and_of_the_right_length() {
    let pool = MemoryPool::new(2, RESIDENT);
    let mut base = None;
    for len in [PAGE, 4 * PAGE, PAGE, PAGE, 4096, 2 * PAGE, 300 * PAGE] {
        let mut slot = take(&pool, 1 << 32, 1 << 20, len).unwrap();
        assert_eq!(slot.accessible(), len);
        assert_eq!(*base.get_or_insert(slot.base()), slot.base());
        let address = slot.base() as usize;
        assert_eq!(mapping(address).0, address + len, "writable up to the length");
        assert!(mapping(address).1 && !mapping(address + len).1);
        assert!(mapping(address + len).0 >= address + (1 << 32) + (1 << 20));
        assert!(bytes(&mut slot).iter().all(|b| *b == 0), "{len}");
        bytes(&mut slot).fill(0xff);
        pool.give(slot);
    }
    assert_eq!(pool.count(), 1);
}

#[test]
fn an_empty_memory_has_an_address_and_no_bytes() {
    let pool = MemoryPool::new(1, RESIDENT);
    let slot = take(&pool, PAGE, 0, 0).unwrap();
    assert!(!mapping(slot.base() as usize).1);
    pool.give(slot);
    let slot = take(&pool, 0, 0, 0).unwrap();
    assert!(!slot.base().is_null());
    pool.give(slot);
}

#[test]
fn every_byte_is_zeroed() {
    let pool = MemoryPool::new(1, RESIDENT);
    let mut slot = take(&pool, 4 * PAGE, 0, 3 * PAGE).unwrap();
    for i in (0..3 * PAGE).step_by(509) {
        bytes(&mut slot)[i] = 1 << (i % 8);
        bytes(&mut slot)[3 * PAGE - 1] = 1;
        pool.give(slot);
        slot = take(&pool, 4 * PAGE, 0, 3 * PAGE).unwrap();
        assert!(bytes(&mut slot).iter().all(|b| *b == 0), "{i}");
    }
}

#[test]
fn kept_slots_take_up_little_memory() {
    // In a child, where nobody maps something else next to the slot.
    let status = in_child(|| {
        let pool = MemoryPool::new(2, RESIDENT);
        let slot = take(&pool, 1 << 32, 0, PAGE).unwrap();
        let base = slot.base() as usize;
        pool.give(slot);
        assert_eq!(mapping(base).2, 0);
        let mut slot = take(&pool, 1 << 32, 0, 100 * PAGE).unwrap();
        bytes(&mut slot).fill(1);
        assert_eq!(mapping(base).2, 100 * PAGE);
        pool.give(slot);
        assert_eq!(mapping(base).2, RESIDENT);
        0
    });
    assert_eq!(status, Ok(0));
}

#[test]
fn memories_grow_in_place_with_zeros() {
    let pool = MemoryPool::new(1, RESIDENT);
    let mut slot = take(&pool, 10 * PAGE, PAGE, PAGE).unwrap();
    let base = slot.base();
    bytes(&mut slot).fill(7);
    slot.set_accessible(10 * PAGE).unwrap();
    assert_eq!(slot.base(), base);
    assert!(bytes(&mut slot)[..PAGE].iter().all(|b| *b == 7));
    assert!(bytes(&mut slot)[PAGE..].iter().all(|b| *b == 0));
    assert!(slot.set_accessible(11 * PAGE).is_err() && slot.set_accessible(10 * PAGE - 1).is_err());
    assert_eq!(slot.accessible(), 10 * PAGE);
}

#[test]
fn slots_move_with_what_they_hold() {
    let pool = MemoryPool::new(2, RESIDENT);
    for len in [PAGE, 4 * PAGE, 2 * MOVED_BY_MAPPING] {
        let mut old = take(&pool, len, PAGE, len).unwrap();
        for i in (0..len).step_by(4099) {
            bytes(&mut old)[i] = i as u8 | 1;
        }
        let mut new = take(&pool, 2 * len, PAGE, len + PAGE).unwrap();
        old.move_to(&mut new);
        for (i, byte) in bytes(&mut new).iter().enumerate() {
            let expected = if i < len && i % 4099 == 0 { i as u8 | 1 } else { 0 };
            assert_eq!(*byte, expected, "{i} of {len}");
        }
        pool.give(old);
        let mut old = take(&pool, len, PAGE, len).unwrap();
        assert!(bytes(&mut old).iter().all(|b| *b == 0));
        bytes(&mut new).fill(1);
        pool.give(new);
    }
}

#[test]
fn what_moved_moves_again_without_being_touched() {
    // Far more than there is memory, moved twice: the second time in two parts.
    let (pool, mut len) = (MemoryPool::new(0, RESIDENT), 64 << 30);
    let mut slot = take(&pool, len, 0, len).unwrap();
    bytes(&mut slot)[len - 1] = 7;
    for round in 1..4 {
        let mut new = take(&pool, 2 * len, 0, 2 * len).unwrap();
        slot.move_to(&mut new);
        assert_eq!(new.seams.len(), round);
        assert_eq!(bytes(&mut new)[(64 << 30) - 1], 7);
        len *= 2;
        bytes(&mut new)[len - 1] = 8;
        slot = new;
    }
}

#[test]
fn the_pool_keeps_no_more_than_it_may() {
    let pool = MemoryPool::new(1, RESIDENT);
    let (first, second) = (take(&pool, 1 << 20, 0, 0).unwrap(), take(&pool, 1 << 20, 0, 0).unwrap());
    pool.give(first);
    pool.give(second);
    assert_eq!(pool.count(), 1);
    pool.empty();
    assert_eq!(pool.count(), 0);
    let nothing = MemoryPool::new(0, RESIDENT);
    nothing.give(take(&nothing, PAGE, 0, PAGE).unwrap());
    assert_eq!(nothing.count(), 0);
}

#[test]
fn slots_with_too_little_room_are_not_used() {
    let pool = MemoryPool::new(8, RESIDENT);
    pool.give(take(&pool, PAGE, 0, PAGE).unwrap());
    assert!(take(&pool, 2 * PAGE, 0, PAGE).unwrap().reservation() >= 2 * PAGE);
    assert_eq!(pool.count(), 1);
    let guarded = take(&pool, PAGE, PAGE, PAGE).unwrap();
    assert!(!mapping(guarded.base() as usize + 2 * PAGE - 1).1);
    assert_eq!(pool.count(), 1);
    take(&pool, PAGE, 0, 4096).unwrap();
    assert_eq!(pool.count(), 0);
}

#[test]
fn what_cannot_be_reserved_is_an_error() {
    assert!(take(&MemoryPool::new(1, RESIDENT), 1 << 60, 0, 0).is_err());
    assert!(take(&MemoryPool::new(1, RESIDENT), usize::MAX, usize::MAX, 0).is_err());
    assert!(take(&MemoryPool::new(1, RESIDENT), 65536, 0, 131072).is_err());
}

#[test]
fn threads_share_a_pool() {
    let pool = MemoryPool::new(3, RESIDENT);
    let work = |mark: u8| {
        for i in 0..200 {
            let mut slot = take(&pool, 1 << 20, 0, PAGE * (1 + i % 2)).unwrap();
            assert!(bytes(&mut slot).iter().all(|b| *b == 0));
            bytes(&mut slot)[i * 300..].fill(mark);
            pool.give(slot);
        }
    };
    std::thread::scope(|scope| (1..5).for_each(|mark| drop(scope.spawn(move || work(mark)))));
    assert!((1..=3).contains(&pool.count()));
}

#[test]
fn every_thread_finds_its_own_slot_again() {
    let pool = MemoryPool::new(128, RESIDENT);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let first = take(&pool, 1 << 20, 0, PAGE).unwrap();
                let base = first.base();
                pool.give(first);
                for _ in 0..100 {
                    let slot = take(&pool, 1 << 20, 0, PAGE).unwrap();
                    assert_eq!(slot.base(), base);
                    pool.give(slot);
                }
            });
        }
    });
    assert!(pool.rest.lock().unwrap().is_empty());
}

#[test]
fn what_one_thread_gives_another_takes() {
    let pool = MemoryPool::new(128, RESIDENT);
    let mut bases = std::collections::HashSet::new();
    for _ in 0..100 {
        let slot = take(&pool, 1 << 20, 0, PAGE).unwrap();
        bases.insert(slot.base() as usize);
        std::thread::scope(|scope| drop(scope.spawn(|| pool.give(slot))));
    }
    assert_eq!(bases.len(), 1);
    let all: Vec<_> = (0..150).map(|_| take(&pool, 1 << 20, 0, PAGE).unwrap()).collect();
    all.into_iter().for_each(|slot| pool.give(slot));
    assert_eq!(pool.count(), 128);
    pool.empty();
    assert_eq!(pool.count(), 0);
}

/// What a place does, as steps that each touch one word, for every order in which three threads can take them: a slot has
/// one owner at any time, and none is lost.
mod every_order {
    use std::collections::HashSet;

    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    enum Step {
        /// Looks whether the place holds something, and goes on to swap if so.
        LookToTake,
        Swap,
        /// Looks whether the place is free, and goes on to put its slot there if so.
        LookToGive,
        Exchange,
    }
    use Step::*;

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct World {
        place: Option<u8>,
        /// The slots that each thread owns, and what it has yet to do.
        threads: Vec<(Vec<u8>, Vec<Step>)>,
    }

    fn step(world: &World, thread: usize) -> World {
        let mut next = world.clone();
        let place = &mut next.place;
        let (owned, steps) = &mut next.threads[thread];
        match steps.remove(0) {
            LookToTake if place.is_some() => steps.insert(0, Swap),
            Swap => owned.extend(place.take()),
            LookToGive if place.is_none() && !owned.is_empty() => steps.insert(0, Exchange),
            Exchange if place.is_none() => *place = owned.pop(),
            LookToTake | LookToGive | Exchange => {}
        }
        next
    }

    #[test]
    fn slots_have_one_owner() {
        let work = vec![LookToTake, LookToGive, LookToTake, LookToGive, LookToTake];
        let threads = vec![(vec![1], work.clone()), (vec![2], work.clone()), (vec![], work)];
        let mut seen = HashSet::new();
        let mut todo = vec![World { place: Some(0), threads }];
        while let Some(world) = todo.pop() {
            let mut all: Vec<u8> =
                world.threads.iter().flat_map(|(owned, _)| owned.clone()).chain(world.place).collect();
            all.sort_unstable();
            assert_eq!(all, [0, 1, 2]);
            for thread in 0..3 {
                if !world.threads[thread].1.is_empty() {
                    let next = step(&world, thread);
                    if seen.insert(next.clone()) {
                        todo.push(next);
                    }
                }
            }
        }
        println!("{} states", seen.len());
        assert!(seen.len() > 1000);
    }
}

#[test]
fn slots_stay_bound_until_their_image_is_forgotten() {
    let pool = MemoryPool::new(128, RESIDENT);
    let image = |byte: u64| Arc::new(MemoryImage::new(0, vec![byte; 512].into()));
    let images = [image(1), image(2)];
    let wanted = |image| Wanted { reservation: 1 << 20, guard: 0, len: PAGE, exactly: true, image };
    let mut bases = Vec::new();
    for round in 0..6 {
        let mut slot = pool.take(&wanted(Some(&images[round % 2]))).unwrap();
        assert_eq!(bytes(&mut slot)[0], round as u8 % 2 + 1);
        bytes(&mut slot).fill(9);
        bases.push(slot.base());
        pool.give(slot);
    }
    // Modules that take turns have slots of their own.
    assert_eq!((bases[0], bases[1]), (bases[2], bases[3]));
    assert_ne!(bases[0], bases[1]);
    pool.forget(&[images[0].id()]);
    assert_eq!(pool.count(), 2);
    let mut slot = pool.take(&wanted(None)).unwrap();
    assert_eq!(slot.base(), bases[0]);
    assert!(bytes(&mut slot).iter().all(|byte| *byte == 0));
    assert_eq!(Arc::strong_count(&images[0]), 1);
}
