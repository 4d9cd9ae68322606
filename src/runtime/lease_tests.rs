use super::*;
use std::sync::atomic::AtomicUsize;

#[derive(Default)]
struct Thing {
    leases: Leases,
    alive: Arc<AtomicUsize>,
}

impl Leased for Thing {
    fn leases(&self) -> &Leases {
        &self.leases
    }
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

fn thing() -> (Arc<Thing>, Arc<AtomicUsize>) {
    let alive = Arc::new(AtomicUsize::new(1));
    (Arc::new(Thing { leases: Leases::default(), alive: alive.clone() }), alive)
}

#[test]
fn leases_keep_it_alive_in_any_order() {
    let (owner, alive) = thing();
    let early = Lease::new(&owner);
    open(&owner);
    open(&owner);
    let open_lease = early.clone();
    drop(early);
    close(&owner);
    let second = Lease::new(&owner);
    close(&owner);
    let late = Lease::new(&owner);
    drop(owner);
    for lease in [open_lease, second] {
        drop(lease);
        assert_eq!(alive.load(Ordering::SeqCst), 1);
    }
    let owner = Arc::clone(&late);
    drop(late);
    open(&owner);
    close(&owner);
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    drop(owner);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn it_dies_once_whoever_comes_last() {
    for round in 0..500 {
        let (owner, alive) = thing();
        open(&owner);
        let first = Lease::new(&owner);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let mut lease = first.clone();
                scope.spawn(move || {
                    for _ in 0..(round + thread * 7) % 40 {
                        let next = lease.clone();
                        assert_eq!(next.alive.load(Ordering::Relaxed), 1);
                        drop(std::mem::replace(&mut lease, next));
                    }
                });
            }
            drop(first);
            close(&owner);
            drop(owner);
        });
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    }
}

/// The same algorithm as steps that each touch one counter, for every order in which three threads can take them.
mod every_order {
    use super::super::{BIAS, CLOSED, is_closed};
    use std::collections::HashSet;

    /// What a thread does next. Numbers are shards.
    #[derive(Clone, PartialEq, Eq, Hash, Debug)]
    enum Step {
        /// Makes a lease.
        Add(usize),
        /// Ends one.
        Remove(usize),
        CentralAdd,
        CentralRemove,
        /// Takes or gives up the common count.
        Count(isize),
        Bias,
        Collect(usize),
        Carry(isize),
        Unbias,
    }
    use Step::*;

    #[derive(Clone, PartialEq, Eq, Hash)]
    struct World {
        shards: [isize; 2],
        central: isize,
        /// The strong count, the owner's own included.
        strong: isize,
        leases: isize,
        threads: Vec<Vec<Step>>,
    }

    /// Takes the next step of a thread.
    fn step(world: &World, thread: usize) -> World {
        let mut next = world.clone();
        let w = &mut next;
        let closed = |count: isize| is_closed(count);
        let mut then: Option<Step> = None;
        let add = |cell: &mut isize, value: isize| std::mem::replace(cell, *cell + value);
        match w.threads[thread].remove(0) {
            Add(shard) => {
                then = closed(add(&mut w.shards[shard], 1)).then_some(CentralAdd);
                w.leases += 1;
            }
            Remove(shard) => {
                // From here on the lease keeps nothing alive.
                w.leases -= 1;
                then = closed(add(&mut w.shards[shard], -1)).then_some(CentralRemove);
            }
            CentralAdd => then = (add(&mut w.central, 1) == 0).then_some(Count(1)),
            CentralRemove => then = (add(&mut w.central, -1) == 1).then_some(Count(-1)),
            Count(change) => w.strong += change,
            Bias => w.central += BIAS,
            Collect(shard) => then = Some(Carry(std::mem::replace(&mut w.shards[shard], CLOSED))),
            Carry(count) => w.central += count,
            Unbias => then = (add(&mut w.central, -BIAS - 1) == BIAS + 1).then_some(Count(-1)),
        }
        if let Some(then) = then {
            w.threads[thread].insert(0, then);
        }
        next
    }

    #[test]
    fn the_count_is_right() {
        let mut seen = HashSet::new();
        let mut ends = 0;
        // Each thread holds a lease from the beginning, made in shard 0, from which it makes another. The closing
        // thread owns it.
        for orders in 0..16 {
            let shard = |bit: u32| (orders >> bit & 1) as usize;
            let worker = |a, b| vec![Add(a), Remove(b), Remove(a)];
            let closer = vec![Bias, Collect(0), Collect(1), Unbias, Count(-1)];
            let start = World {
                shards: [2, 0],
                central: 1,
                strong: 2,
                leases: 2,
                threads: vec![worker(shard(0), shard(1)), worker(shard(2), shard(3)), closer],
            };
            let mut work = vec![start];
            while let Some(world) = work.pop() {
                let finished = world.threads.iter().all(Vec::is_empty);
                let removing = |steps: &Vec<Step>| matches!(steps.first(), Some(CentralRemove | Count(_) | Carry(_)));
                assert!(world.strong > 0 || world.leases == 0, "freed under a lease");
                assert!(world.strong >= 0, "freed twice");
                if world.strong == 0 {
                    assert!(finished || !world.threads.iter().any(removing), "used after it was freed");
                }
                if finished {
                    assert_eq!((world.strong, world.leases), (0, 0), "never freed");
                    ends += 1;
                }
                for thread in 0..world.threads.len() {
                    if !world.threads[thread].is_empty() {
                        let next = step(&world, thread);
                        if seen.insert(next.clone()) {
                            work.push(next);
                        }
                    }
                }
            }
        }
        println!("{} states, {ends} ends", seen.len());
        assert!(seen.len() > 1000 && ends > 0);
    }
}
