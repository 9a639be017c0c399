//! How much code a component has, before anybody compiles it. Knows the binary format; not what the code does.

use wasmparser::BinaryReaderError;
use wasmparser::Parser;
use wasmparser::Payload;

/// The code of all modules of a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CodeSize {
    /// The number of functions.
    pub functions: usize,
    /// The bytes of the largest function.
    pub function_bytes: usize,
    /// The locals of the function with the most.
    pub function_locals: usize,
    /// The bytes of each function times its locals, together.
    pub weight: usize,
}

/// Measures a component.
///
/// # Errors
///
/// [`BinaryReaderError`] when the bytes are no component.
pub(crate) fn measure(bytes: &[u8]) -> Result<CodeSize, BinaryReaderError> {
    let mut size = CodeSize::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        let Payload::CodeSectionEntry(body) = payload else { continue };
        let mut locals = 0_usize;
        for group in body.get_locals_reader()? {
            let (count, _) = group?;
            locals = locals.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        }
        size.functions += 1;
        size.function_bytes = size.function_bytes.max(body.range().len());
        size.function_locals = size.function_locals.max(locals);
        size.weight = size.weight.saturating_add(body.range().len().saturating_mul(locals));
    }
    Ok(size)
}
