//! Reading the database beside the writer: a few connections, each used by one request at a time.
//!
//! Readers see what is committed; they neither wait for the writer nor make it wait.

use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use crate::api::problem::Kind;
use crate::api::problem::Problem;
use crate::store;
use crate::store::error::StoreError;

/// Connections for reading.
#[derive(Clone)]
pub struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    free: Arc<Semaphore>,
}

impl Readers {
    /// Opens `count` connections to the database at `path`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    pub fn open(path: &Path, count: usize) -> Result<Readers, StoreError> {
        let connections = (0..count).map(|_| store::open_for_reading(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Readers { idle: Arc::new(Mutex::new(connections)), free: Arc::new(Semaphore::new(count)) })
    }

    /// Reads with one of the connections, on a thread that may wait for a disk.
    ///
    /// # Errors
    ///
    /// Those of `work`.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        let permit = permit.expect("the readers' semaphore is never closed");
        let idle = Arc::clone(&self.idle);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connection = lock(&idle).pop();
            let lent = Lent { connection, idle };
            let connection = lent.connection.as_ref().expect("there are as many connections as permits");
            // One snapshot for everything that one request reads.
            connection.prepare_cached("begin")?.execute([])?;
            let result = work(connection);
            connection.prepare_cached("commit")?.execute([])?;
            result
        });
        done.await
            .unwrap_or_else(|_| Err(Problem::new(Kind::Internal, "reading failed; the host's log says why")))
    }
}

/// A connection on loan; it goes back however the reading ends.
struct Lent {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("rollback")
            {
                tracing::error!(%error, "a reader could not end its transaction");
            }
            lock(&self.idle).push(connection);
        }
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().expect("no holder of the connections panics")
}
