//! The order of work on one store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use prompt_manager::store::queue::{Access, WorkQueue, WorkTurn};

/// Takes a place in the queue, and sends the name and the turn when it has come.
fn enter(queue: &WorkQueue, access: Access, name: usize, sender: &mpsc::Sender<(usize, WorkTurn)>) {
    let sender = sender.clone();
    queue.enter(access, move |turn| drop(sender.send((name, turn))));
}

/// The names of the calls whose turn has come, with their turns.
fn started(receiver: &mpsc::Receiver<(usize, WorkTurn)>) -> (Vec<usize>, Vec<WorkTurn>) {
    receiver.try_iter().unzip()
}

#[test]
fn calls_start_in_the_order_in_which_they_were_made() {
    let queue = WorkQueue::default();
    let (sender, receiver) = mpsc::channel();
    let calls = [Access::Write, Access::Read, Access::Read, Access::Write, Access::Read, Access::Write];
    for (name, access) in calls.into_iter().enumerate() {
        enter(&queue, access, name, &sender);
    }
    let mut rounds = Vec::new();
    loop {
        let (names, turns) = started(&receiver);
        if names.is_empty() {
            break;
        }
        rounds.push(names);
        drop(turns);
    }
    assert_eq!(rounds, [vec![0], vec![1, 2], vec![3], vec![4], vec![5]]);
    assert!(queue.try_enter(Access::Write).is_some());
}

#[test]
fn nobody_passes_a_call_that_waits() {
    let queue = WorkQueue::default();
    let (sender, receiver) = mpsc::channel();
    let reading = queue.try_enter(Access::Read).expect("nobody is before it");
    assert!(queue.try_enter(Access::Read).is_some(), "reads run side by side");
    assert!(queue.try_enter(Access::Write).is_none());
    enter(&queue, Access::Write, 0, &sender);
    assert!(queue.try_enter(Access::Read).is_none(), "a write waits, and was first");
    drop(reading);
    let (names, turns) = started(&receiver);
    assert_eq!(names, [0]);
    assert!(queue.try_enter(Access::Read).is_none());
    drop(turns);
    assert!(queue.try_enter(Access::Read).is_some());
}

#[test]
fn calls_that_nobody_wants_any_more_do_not_nest() {
    let queue = WorkQueue::default();
    let ended = Arc::new(AtomicUsize::new(0));
    let first = queue.try_enter(Access::Write);
    for _ in 0..200_000 {
        let ended = Arc::clone(&ended);
        queue.enter(Access::Write, move |turn| {
            drop(turn);
            ended.fetch_add(1, Ordering::Relaxed);
        });
    }
    drop(first);
    assert_eq!(ended.load(Ordering::Relaxed), 200_000);
}

#[test]
fn a_panic_in_a_call_lets_the_next_one_start() {
    let queue = Arc::new(WorkQueue::default());
    let first = queue.try_enter(Access::Write);
    queue.enter(Access::Write, |_turn| panic!("no thread can be made"));
    let panicked = thread::spawn(move || drop(first)).join();
    assert!(panicked.is_err());
    assert!(queue.try_enter(Access::Write).is_some());
}

#[test]
fn one_thread_at_a_time_writes() {
    let queue = Arc::new(WorkQueue::default());
    let (inside, order) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..8 {
            let (queue, inside, order) = (&queue, &inside, &order);
            scope.spawn(move || {
                for _ in 0..50 {
                    let (sender, receiver) = mpsc::channel();
                    enter(queue, Access::Write, number, &sender);
                    let (_, turn) = receiver.recv().expect("its turn comes");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    order.lock().unwrap().push(number);
                    thread::yield_now();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(turn);
                }
            });
        }
    });
    assert_eq!(order.lock().unwrap().len(), 400);
}
