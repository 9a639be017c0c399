//! Tables: providers whose rules are a text in TOML, which a bundled component interprets.
//!
//! Knows how the component is given its table, and what a table's revision is. Knows nothing of what a table says.

use std::sync::Arc;

use sha2::Digest as _;
use sha2::Sha256;
use wasmtime::Store;
use wasmtime::component::Component;

use crate::provider::bindings::Provider;
use crate::provider::bindings::ProviderIndices;
use crate::provider::bindings::ProviderPre;
use crate::provider::table_bindings::InterpreterIndices;
use crate::provider::table_bindings::tables::Problem;
use crate::runtime::call::StoreLimits;
use crate::runtime::error::LoadError;
use crate::runtime::loader::Loader;

/// The component, which the build script compiles.
pub(crate) const INTERPRETER: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plugin-declared.wasm"));

/// The longest table, in bytes. Every call reads it anew.
pub const BYTES_MAX: usize = 64 << 10;

/// A table, and the interpreter's functions.
#[derive(Clone)]
pub struct Table {
    text: Arc<str>,
    provider: ProviderIndices,
    interpreter: InterpreterIndices,
}

/// The interpreter of a table, compiled, with the digest that names both together.
pub(crate) struct TableSource {
    pub(crate) component: Component,
    pub(crate) revision: String,
}

impl TableSource {
    /// Makes sure that the bytes of a table are text, and loads the interpreter, which is a component.
    ///
    /// # Errors
    ///
    /// When it is too long, or not UTF-8.
    pub(crate) fn of(
        loader: &Loader,
        origin: &str,
        interpreter: &[u8],
        bytes: &[u8],
    ) -> Result<TableSource, LoadError> {
        if bytes.len() > BYTES_MAX {
            let (origin, bytes) = (origin.to_owned(), bytes.len());
            return Err(LoadError::TableTooLarge { origin, bytes, limit_bytes: BYTES_MAX });
        }
        std::str::from_utf8(bytes).map_err(|error| LoadError::WrongTable {
            origin: origin.to_owned(),
            problems: format!(" it is not UTF-8 from byte {} on", error.valid_up_to()),
        })?;
        let (component, digest) = loader.component("the interpreter of tables", interpreter)?;
        Ok(TableSource { component, revision: revision(&digest, bytes) })
    }
}

/// What names a table's rules: the interpreter and the text, because either can change what is answered.
pub(crate) fn revision(interpreter: &str, table: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(interpreter).chain_update([0]).chain_update(table).finalize())
}

impl Table {
    /// Finds the functions that take a table beside those of the contract.
    ///
    /// # Errors
    ///
    /// When the component has not got them.
    pub(crate) fn of(text: &str, pre: &ProviderPre<StoreLimits>) -> wasmtime::Result<Table> {
        let pre = pre.instance_pre();
        let (provider, interpreter) = (ProviderIndices::new(pre)?, InterpreterIndices::new(pre)?);
        Ok(Table { text: text.into(), provider, interpreter })
    }

    /// Makes an instance, gives it the table, and returns both with every problem of the table.
    ///
    /// # Errors
    ///
    /// When the interpreter cannot be called.
    pub(crate) fn start(
        &self,
        pre: &ProviderPre<StoreLimits>,
        store: &mut Store<StoreLimits>,
    ) -> wasmtime::Result<(Provider, Vec<Problem>)> {
        let instance = pre.instance_pre().instantiate(&mut *store)?;
        let interpreter = self.interpreter.load(&mut *store, &instance)?;
        let problems = interpreter.perennial_table_tables().call_load(&mut *store, &self.text)?;
        Ok((self.provider.load(&mut *store, &instance)?, problems))
    }

    /// The problems as people read them: the place, what is wrong, and the line.
    pub(crate) fn shown(&self, name: &str, problems: &[Problem]) -> String {
        let shown = problems.iter().map(|problem| {
            let (line, message) = (problem.line, visible(&problem.message));
            let place = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
            match place.and_then(|place| self.text.lines().nth(place)) {
                Some(text) => format!("\n  {name}:{line}: {message}\n    {line:>4} | {}", visible(text)),
                None => format!("\n  {name}: {message}"),
            }
        });
        shown.collect()
    }
}

/// Makes an instance of a plugin and, if it is a table, gives it that.
///
/// # Errors
///
/// When it cannot be made, or does not take the table, which it took when it was loaded.
pub(crate) fn instantiate(
    pre: &ProviderPre<StoreLimits>,
    table: Option<&Table>,
    store: &mut Store<StoreLimits>,
) -> wasmtime::Result<Provider> {
    let Some(table) = table else { return pre.instantiate(store) };
    let (provider, problems) = table.start(pre, store)?;
    match problems.first() {
        None => Ok(provider),
        Some(problem) => Err(wasmtime::Error::msg(format!(
            "it does not take its table any more: line {}: {}",
            problem.line, problem.message
        ))),
    }
}

/// A text of the file without what would steer a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_of_the_interpreter_and_the_table() {
        let all = [revision("a", b"b"), revision("a", b"c"), revision("b", b"b"), revision("a\0", b"b")];
        for (place, one) in all.iter().enumerate() {
            assert!(all[..place].iter().all(|other| other != one));
        }
        assert_eq!(all[0], revision("a", b"b"));
    }
}
