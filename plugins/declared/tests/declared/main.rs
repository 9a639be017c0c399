//! Tables, natively: what is said of wrong ones, and the answers that right ones give, printed.

mod commands;
mod properties;
mod read;
mod timelines;
mod world;
