//! Scripts as the interpreter runs them, natively: the language, the functions, the limits, and what `check` says.

mod check;
mod figures;
mod functions;
mod language;
mod limits;
mod rulings;
mod world;
