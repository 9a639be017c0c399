//! What the outputs promise, over a year in which everything happens, and over a month that is read word by word.

mod terminal;
mod widths;
