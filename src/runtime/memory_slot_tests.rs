use super::*;
use crate::runtime::owed_pages::pay_for;
use crate::runtime::sys::testing::in_child;

const PAGE: usize = 4096;

/// An image of `len` bytes at `start` that are not zero.
fn image(start: usize, len: usize) -> Arc<MemoryImage> {
    let words = (0..len / 8).map(|i| i as u64 * 0x9e37_79b9 + 1).collect();
    Arc::new(MemoryImage::new(start, words))
}

fn bytes(slot: &mut MemorySlot) -> &mut [u8] {
    // SAFETY: accessible, and borrowed as long as the slot.
    unsafe { slice::from_raw_parts_mut(slot.base, slot.used) }
}

/// Whether a slot is clean.
fn check(slot: &mut MemorySlot, expected: Option<&Arc<MemoryImage>>) {
    let mut initial = vec![0; slot.used];
    if let Some(image) = expected {
        initial[image.range()].copy_from_slice(image.bytes());
    }
    let different = bytes(slot).iter().zip(&initial).position(|(a, b)| a != b);
    assert_eq!(different, None, "of {}", slot.used);
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

#[test]
fn slots_are_clean_again_whatever_was_done() {
    let images = [None, Some(image(0, PAGE)), Some(image(3 * PAGE, 64 << 10)), Some(image(64 << 10, 400 << 10))];
    assert!(images[2].as_ref().unwrap().file().is_some(), "large images are mapped");
    let mut random = Random(88_172_645_463_325_252);
    let mut slot = MemorySlot::reserve(16 << 20, PAGE).unwrap();
    let mut mapped = 0;
    for round in 0..300 {
        let image = images[random.below(4)].as_ref();
        let least = image.map_or(0, |image| image.range().end);
        let len = (least + PAGE * random.below(300)).next_multiple_of(PAGE);
        let exactly = random.below(2) == 0;
        slot.bind(image, len, exactly).unwrap();
        mapped += usize::from(slot.mapped);
        assert_eq!(slot.used, len);
        assert!(if exactly { slot.accessible == len } else { slot.accessible >= len });
        check(&mut slot, image);
        for _ in 0..random.below(40) {
            if slot.used > 0 {
                let (at, len) = (random.below(slot.used), random.below(3 * PAGE));
                let end = (at + len).min(slot.used);
                bytes(&mut slot)[at..end].fill(round as u8);
            }
            if random.below(8) == 0 {
                let longer = slot.used + random.below(20) * PAGE;
                if exactly { slot.set_accessible(longer).unwrap() } else { slot.set_used(longer).unwrap() }
            }
        }
        slot.clean([0, PAGE, 64 << 10, 1 << 20][random.below(4)]).unwrap();
        check(&mut slot, image);
    }
    assert!(mapped > 50);
}

#[test]
fn growth_seldom_asks_the_system_where_checks_are_explicit() {
    let mut slot = MemorySlot::reserve(64 << 20, 0).unwrap();
    let mut changes = 0;
    for len in (0..(64 << 20)).step_by(64 << 10).skip(1) {
        let before = slot.accessible;
        slot.set_used(len).unwrap();
        assert!(slot.accessible >= len && slot.used == len);
        changes += usize::from(slot.accessible != before);
    }
    assert!(changes <= 11, "{changes}");
    assert!(slot.set_used((64 << 20) + PAGE).is_err());
}

#[test]
fn a_moved_memory_keeps_what_it_holds_and_leaves_a_clean_slot() {
    let mut random = Random(1);
    for (start, len) in [(0, PAGE), (5 * PAGE, 256 << 10), (0, 64 << 10)] {
        let image = image(start, len);
        let mut old = MemorySlot::reserve(2 << 20, 0).unwrap();
        old.bind(Some(&image), 1 << 20, false).unwrap();
        for _ in 0..50 {
            let at = random.below(1 << 20);
            bytes(&mut old)[at] ^= 0x55;
        }
        let held = bytes(&mut old).to_vec();
        let mut new = MemorySlot::reserve(4 << 20, 0).unwrap();
        new.bind(None, 2 << 20, false).unwrap();
        old.move_to(&mut new);
        assert!(bytes(&mut new)[..1 << 20] == held && bytes(&mut new)[1 << 20..].iter().all(|byte| *byte == 0));
        old.clean(1 << 20).unwrap();
        check(&mut old, Some(&image));
        new.clean(1 << 20).unwrap();
        check(&mut new, None);
    }
}

#[test]
fn a_mapped_image_takes_up_memory_once() {
    // In a child, where nobody else uses memory.
    let status = in_child(|| {
        let resident = || {
            let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
            let pages: Vec<usize> = statm.split(' ').map(|word| word.trim().parse().unwrap()).collect();
            (pages[1] - pages[2]) * PAGE
        };
        let image = image(0, 4 << 20);
        let before = resident();
        let mut slots = Vec::new();
        for _ in 0..20 {
            let mut slot = MemorySlot::reserve(8 << 20, 0).unwrap();
            slot.bind(Some(&image), 4 << 20, true).unwrap();
            assert!(bytes(&mut slot).iter().step_by(PAGE).any(|byte| *byte != 0));
            slots.push(slot);
        }
        assert!(resident() - before < 1 << 20, "{} bytes of their own", resident() - before);
        0
    });
    assert_eq!(status, Ok(0));
}

#[test]
fn an_image_whose_file_was_closed_is_copied() {
    let status = in_child(|| {
        let image = image(0, 64 << 10);
        // SAFETY: what a host might do that closes all files it does not know.
        unsafe { libc::close(image.file().unwrap().0) };
        let mut slot = MemorySlot::reserve(1 << 20, 0).unwrap();
        slot.bind(Some(&image), 1 << 20, true).unwrap();
        assert!(!slot.mapped);
        check(&mut slot, Some(&image));
        bytes(&mut slot).fill(3);
        slot.clean(1 << 20).unwrap();
        check(&mut slot, Some(&image));
        slot.clean(0).unwrap();
        check(&mut slot, Some(&image));
        0
    });
    assert_eq!(status, Ok(0));
}

/// Whatever the handlers of the process of the tests are.
fn anyway() -> bool {
    true
}

/// A page of WebAssembly.
const WASM_PAGE: usize = 64 << 10;

#[test]
fn what_is_owed_is_paid_for_once_and_forgotten_in_the_end() {
    let mut slot = MemorySlot::reserve(4 << 30, PAGE).unwrap();
    let at = |slot: &MemorySlot, page: usize| slot.base as usize + page * WASM_PAGE;
    // The first growth has nothing to stand on.
    slot.bind(None, 0, true).unwrap();
    slot.extend(2 * WASM_PAGE, anyway).unwrap();
    assert!(slot.is_settled() && slot.accessible == 2 * WASM_PAGE);
    bytes(&mut slot).fill(7);
    slot.extend(3 * WASM_PAGE, anyway).unwrap();
    slot.extend(5 * WASM_PAGE, anyway).unwrap();
    assert!(!slot.is_settled() && (slot.accessible, slot.used) == (2 * WASM_PAGE, 5 * WASM_PAGE));
    assert!(slot.extend((4 << 30) + WASM_PAGE, anyway).is_err() && slot.extend(5 * WASM_PAGE + 1, anyway).is_err());
    // To make it clean takes none of what is owed.
    slot.clean(1 << 20).unwrap();
    assert!(!slot.is_settled() && (slot.accessible, slot.used) == (2 * WASM_PAGE, 5 * WASM_PAGE));
    assert!(slot.settle() && slot.accessible == 5 * WASM_PAGE);
    check(&mut slot, None);
    // That was no fault: the next growth is deferred as well. After a fault it is not.
    slot.extend(6 * WASM_PAGE, anyway).unwrap();
    assert!(!slot.is_settled() && pay_for(at(&slot, 6) - 1) && !pay_for(at(&slot, 6)));
    slot.extend(7 * WASM_PAGE, anyway).unwrap();
    assert!(slot.is_settled() && slot.accessible == 7 * WASM_PAGE);
    check(&mut slot, None);
    for page in 8..15 {
        slot.extend(page * WASM_PAGE, anyway).unwrap();
        assert!(slot.is_settled());
    }
    slot.extend(15 * WASM_PAGE, anyway).unwrap();
    assert!(!slot.is_settled());
    // The next memory has nothing of it.
    slot.retire();
    assert!(slot.is_settled() && slot.used == 14 * WASM_PAGE && !pay_for(at(&slot, 14)) && !pay_for(at(&slot, 2)));
    slot.clean(0).unwrap();
    slot.bind(None, WASM_PAGE, true).unwrap();
    assert!(slot.accessible == WASM_PAGE);
    slot.extend(2 * WASM_PAGE, anyway).unwrap();
    assert!(!slot.is_settled() && !pay_for(at(&slot, 2)) && pay_for(at(&slot, 1)));
    // What a fault has made accessible is seen at the end, too.
    slot.retire();
    assert!(slot.used == 2 * WASM_PAGE && slot.accessible == 2 * WASM_PAGE);
    let base = at(&slot, 0);
    slot.clean(0).unwrap();
    slot.bind(None, WASM_PAGE, true).unwrap();
    // And remembered for the next.
    slot.extend(2 * WASM_PAGE, anyway).unwrap();
    assert!(slot.is_settled());
    slot.policy = GrowthPolicy::default();
    slot.extend(3 * WASM_PAGE, anyway).unwrap();
    assert!(!slot.is_settled());
    drop(slot);
    assert!(!pay_for(base + 2 * WASM_PAGE));
}

#[test]
fn growth_is_not_deferred_where_the_system_may_refuse_it_later() {
    // Behind a mapping that cannot be extended.
    let mapped = image(0, WASM_PAGE);
    let mut slot = MemorySlot::reserve(4 << 30, PAGE).unwrap();
    slot.bind(Some(&mapped), WASM_PAGE, true).unwrap();
    assert!(slot.mapped);
    slot.extend(2 * WASM_PAGE, anyway).unwrap();
    assert!(slot.is_settled());
    slot.extend(3 * WASM_PAGE, anyway).unwrap();
    assert!(!slot.is_settled());
    slot.retire();
    slot.clean(1 << 20).unwrap();
    // And in a reservation that does not have its place for itself.
    let mut small = MemorySlot::reserve(16 << 20, PAGE).unwrap();
    small.bind(None, WASM_PAGE, true).unwrap();
    small.extend(2 * WASM_PAGE, anyway).unwrap();
    assert!(small.is_settled() && small.accessible == 2 * WASM_PAGE);
}
