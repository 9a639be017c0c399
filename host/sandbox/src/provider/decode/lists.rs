//! The flat lists of an answer: which items belong to which request, and what a word says.
//!
//! Knows counts and lengths; knows no record. Where counts do not add up, nobody knows whose the items are, and the whole
//! answer is unusable.

use std::vec::IntoIter;

/// Why nothing of an answer can be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It has so many answers, which is not the number of requests.
    Count(usize),
    /// Its lists do not belong together, in words.
    Lists(String),
    /// It says more than an answer may, every word counted as often as it is used.
    Length,
}

/// A list of an answer, from the front to the back.
#[derive(Debug)]
pub struct Items<T> {
    name: &'static str,
    items: IntoIter<T>,
}

impl<T> Items<T> {
    /// The list with this name in the contract.
    pub fn of(name: &'static str, items: Vec<T>) -> Items<T> {
        Items { name, items: items.into_iter() }
    }

    /// The next `count` items.
    ///
    /// # Errors
    ///
    /// A [`Mismatch`] when there are fewer.
    pub fn take(&mut self, count: u32) -> Result<impl ExactSizeIterator<Item = T>, Mismatch> {
        let count = place(count);
        let (name, left) = (self.name, self.items.len());
        match count <= left {
            true => Ok(self.items.by_ref().take(count)),
            false => Err(Mismatch::Lists(format!(
                "its counts ask for {count} more of its `{name}`, of which {left} are left"
            ))),
        }
    }

    /// Checks that every item was taken.
    ///
    /// # Errors
    ///
    /// A [`Mismatch`] when some were not.
    pub fn finish(&self) -> Result<(), Mismatch> {
        match self.items.len() {
            0 => Ok(()),
            left => Err(Mismatch::Lists(format!("its counts leave {left} of its `{}` over", self.name))),
        }
    }
}

/// The words of an answer, and how much they said so far.
#[derive(Debug)]
pub struct Words {
    words: Vec<String>,
    left_bytes: usize,
    is_over: bool,
}

impl Words {
    /// The words of an answer that may say so much.
    pub fn of(words: Vec<String>, max_bytes: usize) -> Words {
        Words { words, left_bytes: max_bytes, is_over: false }
    }

    /// The text with this number.
    ///
    /// # Errors
    ///
    /// In words: there is no such text, or the answer says too much, which [`Words::finish`] tells, too.
    pub fn text(&mut self, number: u32) -> Result<String, String> {
        let Some(text) = self.words.get(place(number)) else {
            return Err(format!("it has a word {number} of {}", self.words.len()));
        };
        match self.left_bytes.checked_sub(text.len()) {
            Some(left_bytes) => {
                self.left_bytes = left_bytes;
                Ok(text.clone())
            }
            None => {
                self.is_over = true;
                Err("it says too much".to_owned())
            }
        }
    }

    /// Checks that the answer did not say too much.
    ///
    /// # Errors
    ///
    /// [`Mismatch::Length`] when it did.
    pub fn finish(&self) -> Result<(), Mismatch> {
        if self.is_over { Err(Mismatch::Length) } else { Ok(()) }
    }
}

/// Checks that there is an answer for each request.
///
/// # Errors
///
/// [`Mismatch::Count`] when there are more or fewer.
pub fn check_count(answers: usize, requests: usize) -> Result<(), Mismatch> {
    if answers == requests { Ok(()) } else { Err(Mismatch::Count(answers)) }
}

/// A place in a list, as lists here count.
pub fn place(number: u32) -> usize {
    usize::try_from(number).expect("the host has at least 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_divided_by_their_counts_to_the_last() {
        let mut items = Items::of("steps", vec!['a', 'b', 'c']);
        assert_eq!(items.take(2).unwrap().collect::<String>(), "ab");
        assert_eq!(items.take(0).unwrap().count(), 0);
        let left = Mismatch::Lists("its counts leave 1 of its `steps` over".to_owned());
        assert_eq!(items.finish(), Err(left));
        let missing =
            Mismatch::Lists("its counts ask for 2 more of its `steps`, of which 1 are left".to_owned());
        assert_eq!(items.take(2).map(|_| ()), Err(missing));
        assert!(items.take(u32::MAX).is_err());
        assert_eq!(items.take(1).unwrap().collect::<String>(), "c");
        assert_eq!(items.finish(), Ok(()));
    }

    #[test]
    fn a_word_counts_as_often_as_it_is_said() {
        let mut words = Words::of(vec!["four".to_owned(), String::new()], 8);
        assert_eq!([0, 1, 0].map(|word| words.text(word)), ["four", "", "four"].map(|it| Ok(it.to_owned())));
        assert_eq!(words.finish(), Ok(()));
        assert_eq!(words.text(2), Err("it has a word 2 of 2".to_owned()));
        assert_eq!(words.finish(), Ok(()), "no such word is the error of whoever said it");
        assert!(words.text(0).is_err());
        assert_eq!(words.finish(), Err(Mismatch::Length));
    }
}
