//! The problems of a file, reported together, each with the path of its value. Knows no format.
//!
//! A file that is wrong everywhere would make a list many times its size, so the list has a bound, and so has each path.

use std::cell::Cell;
use std::cell::RefCell;
use std::fmt;

/// The most problems that are listed. A reader stops when there are so many.
pub const PROBLEMS_MAX: usize = 100;

/// The longest name that a path repeats, in characters; ids have at most 64.
const NAME_MAX: usize = 64;

/// Where a value is: the way to it from the top of the file, such as `resources[3].price`.
#[derive(Clone, Copy, Debug)]
pub enum Path<'p> {
    /// The file as a whole.
    Root,
    /// A field of an object.
    Member(&'p Path<'p>, &'p str),
    /// An item of a list, counting from 0.
    Item(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Member(parent, name) => {
                let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
                if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(is_plain) {
                    let piece = name.chars().take(NAME_MAX).collect::<String>();
                    let more = if piece.len() < name.len() { "…" } else { "" };
                    return write!(f, "{parent}[\"{}{more}\"]", piece.escape_debug());
                }
                match parent {
                    Path::Root => f.write_str(name),
                    Path::Member(..) | Path::Item(..) => write!(f, "{parent}.{name}"),
                }
            }
            Path::Item(parent, position) => write!(f, "{parent}[{position}]"),
        }
    }
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    position: u32,
    /// Where the file has it, beside the path: the line and, where there is one, the id of the account or resource.
    location: Option<String>,
    /// Where it is, such as `resources[3].price`; a line and column when the file is not JSON.
    pub path: String,
    /// What is wrong, and what is expected.
    pub message: String,
}

impl Problem {
    /// The number of the value that it is about, in the order of the file.
    pub(super) fn position(&self) -> u32 {
        self.position
    }
}

/// What is wrong with a file, in the order of the file: everything, or the first [`PROBLEMS_MAX`] that were found. Never
/// empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    has_more: bool,
}

impl Problems {
    /// The file cannot be read at all: the one problem that there is.
    pub fn unreadable(path: String, message: String) -> Problems {
        Problems { list: vec![Problem { position: 0, location: None, path, message }], has_more: false }
    }

    /// The problems, in the order of the file.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// Whether the file may have more problems than are listed: it was read no further.
    pub fn has_more(&self) -> bool {
        self.has_more
    }

    /// The same, each with the location that `locate` finds; it may write the path and the message anew.
    pub(super) fn located(mut self, locate: impl Fn(&mut Problem) -> String) -> Problems {
        for problem in &mut self.list {
            problem.location = Some(locate(problem));
        }
        self
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    /// How many there are, and then one per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.list.len() == 1 { "" } else { "s" };
        let least = if self.has_more { "at least " } else { "" };
        write!(f, "{least}{} problem{plural}:", self.list.len())?;
        self.list.iter().try_for_each(|problem| match &problem.location {
            Some(location) => write!(f, "\n  {} ({location}): {}", problem.path, problem.message),
            None => write!(f, "\n  {}: {}", problem.path, problem.message),
        })?;
        if self.has_more {
            f.write_str("\n  the rest was not read: put these right, then try again")?;
        }
        Ok(())
    }
}

/// The problems of a file that is being read.
#[derive(Debug)]
pub struct Diagnostics {
    /// What its top is called.
    document: &'static str,
    problems: RefCell<Vec<Problem>>,
    /// Something was wrong when the list was full already.
    has_more: Cell<bool>,
}

impl Default for Diagnostics {
    fn default() -> Diagnostics {
        Diagnostics::new("the file")
    }
}

impl Diagnostics {
    /// Those of what is called `whole`.
    pub fn new(whole: &'static str) -> Diagnostics {
        Diagnostics { document: whole, problems: RefCell::default(), has_more: Cell::new(false) }
    }

    /// Notes that what is at `path`, the `place`th value of the file, is wrong; or that there is more, once there are
    /// [`PROBLEMS_MAX`].
    pub fn add(&self, position: u32, path: Path<'_>, message: impl Into<String>) {
        if self.is_full() {
            self.has_more.set(true);
            return;
        }
        let path = match path {
            Path::Root => self.document.to_owned(),
            Path::Member(..) | Path::Item(..) => path.to_string(),
        };
        self.problems.borrow_mut().push(Problem { position, location: None, path, message: message.into() });
    }

    /// Notes that something is wrong at a place that is no value, such as `line 3`; it comes after the first `position` values.
    pub(super) fn add_at(&self, position: u32, place: String, message: impl Into<String>) {
        let problem = Problem { position, location: None, path: place, message: message.into() };
        self.problems.borrow_mut().push(problem);
    }

    /// `value`, when there is one and nothing was wrong.
    ///
    /// # Errors
    ///
    /// Everything that was.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problems> {
        let mut list = self.problems.into_inner();
        list.sort_by_key(|problem| problem.position);
        if list.is_empty() {
            return Ok(value.expect("what cannot be read leaves a problem"));
        }
        Err(Problems { list, has_more: self.has_more.get() })
    }

    /// Whether there are as many problems as are listed, so that reading on is of no use. A reader that stops for
    /// this says so with [`Diagnostics::stop`] if something is left unread.
    pub fn is_full(&self) -> bool {
        self.problems.borrow().len() >= PROBLEMS_MAX
    }

    /// Notes that something is left unread, so that there may be more problems.
    pub fn stop(&self) {
        self.has_more.set(true);
    }

    /// Whether nothing was wrong so far.
    pub fn is_empty(&self) -> bool {
        self.problems.borrow().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_problems_and_its_paths_have_a_bound() {
        let problems = Diagnostics::default();
        let long = "n".repeat(10_000);
        for position in 0..300_000 {
            problems.add(position, Path::Member(&Path::Root, &long), "it is wrong");
        }
        let problems = problems.finish(None::<()>).unwrap_err();
        assert_eq!(problems.list().len(), PROBLEMS_MAX);
        assert!(problems.has_more());
        let text = problems.to_string();
        assert!(text.starts_with("at least 100 problems:\n"), "{text}");
        assert!(text.ends_with("\n  the rest was not read: put these right, then try again"), "{text}");
        assert!(text.len() < PROBLEMS_MAX * 120, "{}", text.len());
    }

    #[test]
    fn a_list_that_is_just_full_has_no_more() {
        let problems = Diagnostics::default();
        for position in 0..100 {
            problems.add(position, Path::Root, "it is wrong");
        }
        let problems = problems.finish(None::<()>).unwrap_err();
        assert_eq!((problems.list().len(), problems.has_more()), (100, false));
    }
}
