//! The file beside a database that says how far it had come: `NAME.generation`.
//!
//! A database that has come less far was set back: by a backup, or by another file in its place. What it lost had happened all
//! the same: events were sent, and renewals were paid. Each time that this is noticed, a new generation begins. Knows files and
//! figures; what is done about it is the engine's.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use perennial_domain::policy::chain::RequiredApproval;
use perennial_domain::timestamp::Timestamp;

use crate::Store;
use crate::clock;
use crate::clock::ClockKind;
use crate::error::StoreError;
use crate::jobs;
use crate::keys::EventKey;
use crate::keys::RowKey;
use crate::list_queries;
use crate::required_approvals;
use crate::tx::ReadTx;

/// How many ids of events are left out when a generation begins: more than there can be since the file was written last.
const EVENTS_LEFT_OUT: i64 = 1 << 20;

/// How long a virtual clock may have been ahead of a database whose mark cannot be read, in seconds: a year.
const UNKNOWN_OF_VIRTUAL: i64 = 366 * 86_400;

/// The bytes of the file, filled up with empty lines: as it is never longer, it can be written over where there is no space for
/// another one.
const LENGTH: usize = 256;

/// Why a job is cancelled that was running in a database which was set back.
const JOB_MAY_BE_DONE: &str = "the database was set back while it ran: what it did in the lost time is paid; compare with the \
                               provider, and make a job of what is left";

/// How far a database had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How often the database was set back.
    generation: i64,
    /// The newest event.
    event: i64,
    /// The newest record of the audit log.
    audit: i64,
    /// How far its clock had come.
    ticked_at: Option<i64>,
    /// The latest instant of an event: a batch of the clock is written before the clock is said to have come so far.
    happened_at: Option<i64>,
    /// What was due by then may have been paid in an earlier generation.
    review_until: Option<i64>,
}

/// What a database that was set back has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetBack {
    /// The number of events that were lost; `None` where the mark cannot be read, so that nobody knows whether any were.
    pub events: Option<i64>,
    /// How far its clock has come now ...
    pub ticked_at: Option<Timestamp>,
    /// ... and how far it had come.
    pub had_ticked_at: Option<Timestamp>,
}

/// The mark of one database.
#[derive(Debug)]
pub(crate) struct Generation {
    path: PathBuf,
    mark: Mark,
    /// Whether the database is behind the mark, or may be, and nothing was done about that yet.
    is_set_back: bool,
    /// Whether there is a mark that cannot be read: what it said is not known.
    is_unknown: bool,
    /// Whether the mark says how far the database has come, as far as that was tried.
    is_noted: bool,
}

impl Generation {
    /// Reads the mark of the database at `path`, of which `db` reads; `is_new` says that it was made a moment ago.
    pub(crate) fn open(path: &Path, db: &ReadTx, is_new: bool) -> Result<Generation, StoreError> {
        let path = mark_path(path);
        let known = read(&path);
        let is_unknown = known.is_none() && !is_new;
        let mark = known.unwrap_or_default();
        let mut generation = Generation { path, mark, is_set_back: false, is_unknown, is_noted: true };
        let found = present(db)?;
        if is_new {
            // Nothing of the database before is in it, so there is nothing to pay again.
            let number = if mark == Mark::default() { 0 } else { mark.generation + 1 };
            generation.mark = Mark { generation: number, ..found };
            // The file may still be of the database before, which had come further.
            if let Err(error) = write(&generation.path, generation.mark) {
                tracing::warn!(%error, "it cannot be noted how far the new database has come");
            }
        } else {
            generation.is_set_back = is_unknown
                || found.event < mark.event
                || found.audit < mark.audit
                || found.ticked_at < mark.ticked_at;
        }
        generation.note(db);
        Ok(generation)
    }

    /// Notes it after a commit that the clock made or that has events, which is whenever somebody paid: a renewal that is not
    /// noted is paid again, unnoticed, when the host is killed and an older copy takes the database's place.
    pub(crate) fn note_commit(&mut self, db: &ReadTx) {
        let Ok(found) = present(db) else { return };
        if found.event > self.mark.event || found.ticked_at > self.mark.ticked_at {
            self.note_found(db, found);
        }
    }

    /// Notes how far the database has come. Where that cannot be written it is said, and tried again the next time.
    pub(crate) fn note(&mut self, db: &ReadTx) {
        if let Ok(found) = present(db) {
            self.note_found(db, found);
        }
    }

    fn note_found(&mut self, db: &ReadTx, found: Mark) {
        if self.is_set_back || !db.connection().is_autocommit() {
            return;
        }
        let Mark { generation, review_until, event, .. } = self.mark;
        let happened_at = last_instant(db, event).unwrap_or_default().max(self.mark.happened_at);
        let mark = Mark { generation, review_until, happened_at, ..found };
        let is_known = mark == self.mark && self.path.exists();
        if is_known {
            return;
        }
        let written = write(&self.path, mark);
        match &written {
            Ok(()) => self.mark = mark,
            Err(error) if self.is_noted => tracing::error!(
                file = %self.path.display(),
                %error,
                "it cannot be noted beside the database how far it has come, so it would not be noticed if it were set back: make \
                 space, or have the host write that file"
            ),
            Err(_) => {}
        }
        self.is_noted = written.is_ok();
    }
}

impl Store {
    /// What the database lost when it was set back, until [`Store::begin_generation`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read.
    pub fn set_back(&self) -> Result<Option<SetBack>, StoreError> {
        let Some(generation) = self.generation.as_ref().filter(|generation| generation.is_set_back) else {
            return Ok(None);
        };
        let (mark, found) = (generation.mark, present(self.db())?);
        Ok(Some(SetBack {
            events: (!generation.is_unknown).then(|| (mark.event - found.event).max(0)),
            ticked_at: clock::ticked_at(self.db())?,
            had_ticked_at: mark.ticked_at.map(Timestamp::from_second),
        }))
    }

    /// Begins a generation of a database that was set back. Events that come from now on have ids that none had before: what
    /// was lost of them may have been sent. Every pending approval of something that is paid for requires `approval` from now
    /// on: it may have been given in the lost time. Jobs that were running are cancelled: they may have gone on in it. `at` is the present, which is when the host is said to have resumed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when that cannot be written.
    pub fn begin_generation(&mut self, at: Timestamp, approval: &RequiredApproval) -> Result<(), StoreError> {
        let Some(before) = self.generation.as_ref().map(|generation| generation.mark) else { return Ok(()) };
        let found = present(self.db())?;
        let down_since = found.ticked_at.map_or(at, Timestamp::from_second);
        self.write(|tx| {
            let body = format!(r#"{{"down_since":"{down_since}"}}"#);
            let row = EventKey::from_number(before.event.max(found.event) + EVENTS_LEFT_OUT);
            tx.connection().execute(
                "insert into event (row, at, account, resource, type, body) values (?1, ?2, null, null, 'host_resumed', ?3)",
                (row, at.as_second(), body),
            )?;
            required_approvals::require_of_pending(tx, approval)?;
            jobs::cancel_running(tx, JOB_MAY_BE_DONE, at)
        })?;
        let found = present(self.db())?;
        let unknown = self.unknown_until(at)?;
        let (store_generation, connection) = (&mut self.generation, &self.tx);
        if let Some(generation) = store_generation {
            generation.mark = Mark {
                generation: before.generation + 1,
                review_until: before.review_until.max(before.ticked_at).max(before.happened_at).max(unknown),
                ..found
            };
            (generation.is_set_back, generation.is_unknown) = (false, false);
            if let Err(error) = write(&generation.path, generation.mark) {
                tracing::error!(%error, "it cannot be noted that the database was set back; it will be noticed again");
            }
            generation.note(connection);
        }
        Ok(())
    }

    /// Until when the lost time may have lasted where nobody knows, `at` being the present: until now or, as a virtual clock may
    /// have been moved further, for a year from there.
    fn unknown_until(&self, at: Timestamp) -> Result<Option<i64>, StoreError> {
        if !self.generation.as_ref().is_some_and(|generation| generation.is_unknown) {
            return Ok(None);
        }
        let is_virtual = clock::state(self.db())?.kind == Some(ClockKind::Virtual);
        Ok(Some((if is_virtual { at + UNKNOWN_OF_VIRTUAL } else { at }).as_second()))
    }

    /// Whether it is noted beside the database how far it has come, as far as that was tried.
    pub fn is_progress_noted(&self) -> bool {
        self.generation.as_ref().is_none_or(|generation| generation.is_noted)
    }

    /// How often the database was set back, as far as it was noticed.
    pub fn generation(&self) -> i64 {
        self.generation.as_ref().map_or(0, |generation| generation.mark.generation)
    }

    /// Until when what was due may have been paid before the database was set back.
    pub fn review_until(&self) -> Option<Timestamp> {
        let review_until = self.generation.as_ref()?.mark.review_until;
        review_until.map(Timestamp::from_second)
    }

    /// Notes beside the database how far it has come.
    pub fn note_progress(&mut self) {
        if let Some(generation) = &mut self.generation {
            generation.note(&self.tx);
        }
    }
}

fn mark_path(path: &Path) -> PathBuf {
    let mut name = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).into_os_string();
    name.push(".generation");
    PathBuf::from(name)
}

/// How far the database has come.
fn present(db: &ReadTx) -> Result<Mark, StoreError> {
    let audit = "select coalesce(max(row), 0) from audit";
    Ok(Mark {
        event: list_queries::last_event(db)?.number(),
        audit: db.connection().prepare_cached(audit)?.query_row([], |row| row.get(0))?,
        ticked_at: clock::ticked_at(db)?.map(Timestamp::as_second),
        ..Mark::default()
    })
}

/// The latest instant of the events behind `event`; `None` when there are none.
fn last_instant(db: &ReadTx, event: i64) -> Result<Option<i64>, StoreError> {
    let latest = "select max(at) from event where row > ?1";
    Ok(db.connection().prepare_cached(latest)?.query_row([event], |row| row.get(0))?)
}

/// What is written there, and nothing where there is no such file; `None` when there is one that does not say it.
fn read(path: &Path) -> Option<Mark> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        // A link that leads nowhere is there.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return std::fs::symlink_metadata(path).is_err().then(Mark::default);
        }
        Err(_) => return None,
    };
    let mut mark = Mark::default();
    let (mut event, mut audit) = (None, None);
    for line in text.lines() {
        let Some((name, value)) = line.split_once(' ') else { continue };
        let value = value.parse().ok()?;
        match name {
            "generation" => mark.generation = value,
            "event" => event = Some(value),
            "audit" => audit = Some(value),
            "ticked_at" => mark.ticked_at = Some(value),
            "happened_at" => mark.happened_at = Some(value),
            "held_until" => mark.review_until = Some(value),
            _ => {}
        }
    }
    // What was cut off in the middle of a line says something else.
    let is_whole = text.ends_with('\n');
    Some(Mark { event: event?, audit: audit?, ..mark }).filter(|_| is_whole)
}

/// Writes it whole or not at all: beside its place, and then renamed. Where that cannot be done, as on a full disk, it is written
/// over what is there, which takes no more space.
fn write(path: &Path, mark: Mark) -> std::io::Result<()> {
    let mut text = format!("generation {}\nevent {}\naudit {}\n", mark.generation, mark.event, mark.audit);
    let instants =
        [("ticked_at", mark.ticked_at), ("happened_at", mark.happened_at), ("held_until", mark.review_until)];
    for (name, value) in instants {
        if let Some(value) = value {
            writeln!(text, "{name} {value}").map_err(std::io::Error::other)?;
        }
    }
    while text.len() < LENGTH {
        text.push('\n');
    }
    replace(path, text.as_bytes()).or_else(|error| overwrite(path, text.as_bytes()).map_err(|_| error))
}

fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&partial)?.write_all(text)?;
    std::fs::rename(&partial, path)
}

/// Writes over a file that is there and as long; a link is left alone.
fn overwrite(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let there = std::fs::symlink_metadata(path)?;
    if !there.is_file() || usize::try_from(there.len()) != Ok(text.len()) {
        return Err(ErrorKind::Unsupported.into());
    }
    std::fs::File::options().write(true).open(path)?.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark {
        generation: 1,
        event: 406,
        audit: 12,
        ticked_at: Some(1_767_225_600),
        happened_at: Some(1_767_225_599),
        review_until: None,
    };

    #[test]
    fn a_mark_is_read_as_it_was_written_and_one_that_is_damaged_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db.generation");
        assert_eq!(read(&path), Some(Mark::default()));
        write(&path, MARK).unwrap();
        assert_eq!(read(&path), Some(MARK));
        let whole = std::fs::read(&path).unwrap();
        let garbage = b"\xff\xfe".as_slice();
        for damaged in [b"".as_slice(), &whole[..20], &whole[..26], garbage, b"event x\naudit 1\n"] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(&path), None, "{damaged:?}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(read(&path), None);
        assert!(write(&path, MARK).is_err());
    }

    #[test]
    fn a_mark_is_written_over_where_no_other_file_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db.generation");
        write(&path, MARK).unwrap();
        // A folder in its place keeps the file beside it from being made, as a full disk does.
        std::fs::create_dir(folder.path().join("x.db.generation.partial")).unwrap();
        let later = Mark { event: 1_000_407, ..MARK };
        write(&path, later).unwrap();
        assert_eq!(read(&path), Some(later));
    }
}
