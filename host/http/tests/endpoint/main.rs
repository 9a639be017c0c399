//! The bundled providers' own APIs, as an SDK sees them: whole answers, in one process, on a clock that only the test
//! moves.
//!
//! [`harness`] has the host and sends requests; the modules named after providers sign them and have the tests.

mod baidu;
mod bce;
mod harness;
mod huawei;
mod together;
