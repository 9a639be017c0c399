//! The problems of a file, reported together, each with the path of its value. Knows no format.

use std::cell::RefCell;
use std::fmt;

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
                if name.is_empty() || !name.bytes().all(is_plain) {
                    return write!(f, "{parent}[\"{}\"]", name.escape_debug());
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

/// Everything that is wrong with a file, in the order of the file. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
}

impl Problems {
    /// The file cannot be read at all: the one problem that there is.
    pub fn unreadable(path: String, message: String) -> Problems {
        Problems { list: vec![Problem { position: 0, location: None, path, message }] }
    }

    /// Every problem, in the order of the file.
    pub fn list(&self) -> &[Problem] {
        &self.list
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
        write!(f, "{} problem{plural}:", self.list.len())?;
        self.list.iter().try_for_each(|problem| match &problem.location {
            Some(location) => write!(f, "\n  {} ({location}): {}", problem.path, problem.message),
            None => write!(f, "\n  {}: {}", problem.path, problem.message),
        })
    }
}

/// The problems of a file that is being read.
#[derive(Debug)]
pub struct Diagnostics {
    /// What its top is called.
    document: &'static str,
    problems: RefCell<Vec<Problem>>,
}

impl Default for Diagnostics {
    fn default() -> Diagnostics {
        Diagnostics::new("the file")
    }
}

impl Diagnostics {
    /// Those of what is called `whole`.
    pub fn new(whole: &'static str) -> Diagnostics {
        Diagnostics { document: whole, problems: RefCell::default() }
    }

    /// Notes that what is at `path`, the `place`th value of the file, is wrong.
    pub fn add(&self, position: u32, path: Path<'_>, message: impl Into<String>) {
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
        Err(Problems { list })
    }

    /// Whether nothing was wrong so far.
    pub fn is_empty(&self) -> bool {
        self.problems.borrow().is_empty()
    }
}
