//! Reads the database beside the writer, on a few threads with a connection each.
//!
//! Readers see committed data. They neither wait for the writer nor block it. A thread that finishes a task takes the
//! next one from the queue, so a busy pool needs no wake-ups.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use perennial_store::ReadTx;
use tokio::sync::oneshot;

use crate::error::ServiceError;
use perennial_store::error::StoreError;

/// A task of a reader's thread.
type ReadTask = Box<dyn FnOnce(&ReadTx) + Send>;

/// A pool of reading threads. They end when it is dropped.
pub struct Readers {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<QueueState>,
    woken: Condvar,
    ended: Condvar,
}

#[derive(Default)]
struct QueueState {
    tasks: VecDeque<ReadTask>,
    /// The number of threads that wait for a task.
    idle: usize,
    /// The number of threads, each of which has a connection.
    running: usize,
    is_over: bool,
}

/// Why readers cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ReadersError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("cannot start a thread that reads: {0}")]
    Thread(#[from] std::io::Error),
}

impl Readers {
    /// Opens `count` connections to the database at `path`.
    ///
    /// # Errors
    ///
    /// [`ReadersError`] when the database cannot be read, or the system gives no threads.
    pub fn open(path: &Path, count: usize) -> Result<Readers, ReadersError> {
        // If a later step fails, dropping this ends the threads that were started.
        let readers = Readers { queue: Arc::default() };
        for _ in 0..count {
            let connection = ReadTx::open(path)?;
            let queue = Arc::clone(&readers.queue);
            let thread = std::thread::Builder::new().name("reader".to_owned());
            thread.spawn(move || queue.run(connection))?;
            readers.queue.lock().running += 1;
        }
        Ok(readers)
    }

    /// Runs `work` on one snapshot of the database, on a reader's thread.
    ///
    /// # Errors
    ///
    /// The error of `work`, or [`ServiceError::ReadFailed`] when it panicked.
    pub async fn read<T: Send + 'static, E: From<ServiceError> + Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push(Box::new(move |connection| {
            // If the caller has stopped waiting, there is nothing to read.
            if !sender.is_closed() {
                drop(sender.send(in_snapshot(connection, work)));
            }
        }));
        receiver.await.unwrap_or_else(|_| Err(ServiceError::ReadFailed.into()))
    }

    /// Closes the connections and waits for that, but no longer than `patience`: a connection is closed after the task
    /// that it works on. What is read from now on fails. Whether all of them are closed.
    pub fn close(&self, patience: Duration) -> bool {
        self.queue.end();
        let is_open = |state: &mut QueueState| state.running > 0;
        let waited = self.queue.ended.wait_timeout_while(self.queue.lock(), patience, is_open);
        !waited.expect("no holder of the queue panics").1.timed_out()
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.end();
    }
}

/// Runs `work` in a read transaction, so that everything it reads is of one instant.
fn in_snapshot<T, E: From<ServiceError>>(
    connection: &ReadTx,
    work: impl FnOnce(&ReadTx) -> Result<T, E>,
) -> Result<T, E> {
    connection.snapshot(work).unwrap_or_else(|error| Err(ServiceError::Store(error).into()))
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().expect("no holder of the queue panics")
    }

    fn push(&self, task: ReadTask) {
        let mut state = self.lock();
        // A task that is dropped says to who waits for it that it failed.
        if state.is_over {
            return;
        }
        state.tasks.push_back(task);
        if state.idle > 0 {
            self.woken.notify_one();
        }
    }

    /// Waits for the next task; `None` when the pool was dropped.
    fn pop(&self) -> Option<ReadTask> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(task) = state.tasks.pop_front() {
                return Some(task);
            }
            state.idle += 1;
            state = self.woken.wait(state).expect("no holder of the queue panics");
            state.idle -= 1;
        }
    }

    /// Ends every thread after its present task, and drops the tasks that wait.
    fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        let dropped = std::mem::take(&mut state.tasks);
        drop(state);
        drop(dropped);
        self.woken.notify_all();
    }

    /// The loop of one thread.
    fn run(&self, connection: ReadTx) {
        while let Some(task) = self.pop() {
            // A panic was logged by its hook, and the caller gets `ReadFailed`; the thread goes on.
            drop(std::panic::catch_unwind(AssertUnwindSafe(|| task(&connection))));
        }
        drop(connection);
        self.lock().running -= 1;
        self.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use perennial_store::Store;
    use perennial_store::keys::EventKey;
    use perennial_store::keys::RowKey;

    fn readers(count: usize) -> (tempfile::TempDir, Readers) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        drop(Store::scratch(&path).unwrap());
        let readers = Readers::open(&path, count).unwrap();
        (folder, readers)
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    fn last_event(db: &ReadTx) -> Result<EventKey, ServiceError> {
        Ok(perennial_store::list_queries::last_event(db)?)
    }

    #[test]
    fn a_reader_goes_on_after_one_that_panicked_or_failed() {
        let (_folder, readers) = readers(1);
        let failed = wait(readers.read(|_| -> Result<(), ServiceError> { panic!("on purpose") }));
        assert!(matches!(failed.unwrap_err(), ServiceError::ReadFailed));
        let refused = wait(readers.read(|_| Err::<(), _>(ServiceError::UnknownResource("x".to_owned()))));
        assert!(matches!(refused.unwrap_err(), ServiceError::UnknownResource(_)));
        assert!(wait(readers.read(last_event)).unwrap() == EventKey::before_all());
    }

    #[test]
    fn readers_that_are_closed_have_no_connection_and_read_nothing_more() {
        let (_folder, readers) = readers(3);
        wait(readers.read(last_event)).unwrap();
        assert!(readers.close(Duration::from_secs(60)));
        assert_eq!(readers.queue.lock().running, 0);
        assert!(matches!(wait(readers.read(last_event)).unwrap_err(), ServiceError::ReadFailed));
    }

    #[test]
    fn a_reader_that_goes_on_is_not_waited_for_without_end() {
        let (_folder, readers) = readers(1);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let reading = readers.read(move |_| {
            assert!(released.recv().is_err(), "it is let go");
            Ok::<_, ServiceError>(())
        });
        let mut reading = Box::pin(reading);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(reading.as_mut().poll(&mut context).is_pending());
        // Until the task is under way; then it is one that is waited for.
        while !readers.queue.lock().tasks.is_empty() {
            std::thread::yield_now();
        }
        assert!(!readers.close(Duration::ZERO));
        drop(release);
        assert!(readers.close(Duration::from_secs(60)));
    }

    #[test]
    fn more_reads_than_readers_are_all_done() {
        let (_folder, readers) = readers(2);
        let read = wait(async {
            let reads = (0..100).map(|number| readers.read(move |db| last_event(db).map(|_| number)));
            let mut all = Vec::new();
            for read in reads {
                all.push(read.await.unwrap());
            }
            all
        });
        assert_eq!(read, (0..100).collect::<Vec<_>>());
    }
}
