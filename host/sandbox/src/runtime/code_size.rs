//! How much code a component has, before anybody compiles it. Knows the binary format; not what the code does.

use wasmparser::BlockType;
use wasmparser::CompositeInnerType;
use wasmparser::Encoding;
use wasmparser::Error;
use wasmparser::FunctionBody;
use wasmparser::Operator;
use wasmparser::Parser;
use wasmparser::Payload;
use wasmparser::RecGroup;
use wasmparser::TypeRef;

use crate::runtime::limits::Limits;

/// What a function costs beside its code, in bytes of code: its entry, its exit, and those for callers outside.
const FUNCTION_BYTES: usize = 32;

/// The code of all modules of a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CodeSize {
    /// The number of functions.
    pub functions: usize,
    /// The bytes of the largest function.
    pub function_bytes: Most,
    /// The locals of the function with the most, its parameters among them.
    pub function_locals: Most,
    /// The most values that a block of a function takes or gives, or that it or a function that it calls returns.
    pub block_values: Most,
    /// The bytes of each function times its locals and its widest block, together.
    pub weight: usize,
}

impl CodeSize {
    /// Each number with what it is called and its limit: those of one function first, with the function that has the most.
    pub(crate) fn against(self, limits: &Limits) -> [(&'static str, usize, usize, Option<Most>); 5] {
        let of_one = |what, most: Most, limit| (what, most.found, limit, Some(most));
        [
            of_one("bytes", self.function_bytes, limits.function_bytes_max),
            of_one("locals and parameters", self.function_locals, limits.function_locals_max),
            of_one("values in a block or a result", self.block_values, limits.block_values_max),
            ("functions", self.functions, limits.functions_max, None),
            ("bytes times values in its functions", self.weight, limits.code_weight_max, None),
        ]
    }
}

/// The most of something that one function has, and which function that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Most {
    /// How much of it.
    pub found: usize,
    /// The place of its module in the component, from 0.
    pub module: usize,
    /// The place of the function among those of its module, the imported ones first, from 0.
    pub function: usize,
}

impl Most {
    fn raise(&mut self, found: usize, (module, function): (usize, usize)) {
        if found > self.found {
            *self = Most { found, module, function };
        }
    }
}

/// Measures a component.
///
/// # Errors
///
/// [`Error`] when the bytes are no component, to the last byte of its code.
pub(crate) fn measure(bytes: &[u8]) -> Result<CodeSize, Error> {
    let mut size = CodeSize::default();
    let (mut open, mut modules) = (Vec::<Module>::new(), 0);
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::Version { encoding, .. } = payload {
            // A component is no module, but ends as one does.
            open.push(Module { place: modules, ..Module::default() });
            modules += usize::from(encoding == Encoding::Module);
        } else if let Payload::End(_) = payload {
            open.pop();
        } else if let Some(module) = open.last_mut() {
            module.read(payload, &mut size)?;
        }
    }
    Ok(size)
}

/// A module under way.
#[derive(Default)]
struct Module {
    /// Its place in the component.
    place: usize,
    /// How many values each of its types takes and gives, as a function.
    types: Vec<(usize, usize)>,
    /// The type of each of its functions.
    functions: Vec<u32>,
    /// How many of those come before the next one with code: the imported ones, and those whose code was read.
    before: usize,
}

impl Module {
    fn read(&mut self, payload: Payload<'_>, size: &mut CodeSize) -> Result<(), Error> {
        if let Payload::TypeSection(reader) = payload {
            for group in reader {
                self.types.extend(widths(group?));
            }
        } else if let Payload::ImportSection(reader) = payload {
            for import in reader.into_imports() {
                if let TypeRef::Func(of_type) | TypeRef::FuncExact(of_type) = import?.ty {
                    self.functions.push(of_type);
                    self.before += 1;
                }
            }
        } else if let Payload::FunctionSection(reader) = payload {
            for of_type in reader {
                self.functions.push(of_type?);
            }
        } else if let Payload::CodeSectionEntry(body) = payload {
            self.count(&body, size)?;
        }
        Ok(())
    }

    fn count(&mut self, body: &FunctionBody<'_>, size: &mut CodeSize) -> Result<(), Error> {
        let place = (self.place, self.before);
        self.before += 1;
        let (mut locals, results) = self.function(place.1);
        for group in body.get_locals_reader()? {
            let (count, _) = group?;
            locals = locals.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        }
        let mut widest = results;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            widest = widest.max(self.width(&operators.read()?));
        }
        let bytes = body.range().len();
        size.functions += 1;
        size.function_bytes.raise(bytes, place);
        size.function_locals.raise(locals, place);
        size.block_values.raise(widest, place);
        let values = locals.saturating_add(widest);
        size.weight = size.weight.saturating_add((bytes + FUNCTION_BYTES).saturating_mul(values));
        Ok(())
    }

    /// How many values an operator has the compiler follow at once, beyond those that its own bytes put there.
    fn width(&self, operator: &Operator<'_>) -> usize {
        if let Operator::Block { blockty }
        | Operator::Loop { blockty }
        | Operator::If { blockty }
        | Operator::Try { blockty } = operator
        {
            self.block(*blockty)
        } else if let Operator::TryTable { try_table } = operator {
            self.block(try_table.ty)
        } else if let Operator::Call { function_index } = operator {
            self.function(index(*function_index)).1
        } else if let Operator::CallIndirect { type_index, .. } | Operator::CallRef { type_index } = operator
        {
            self.function_type(*type_index).1
        } else {
            0
        }
    }

    fn block(&self, block: BlockType) -> usize {
        match block {
            BlockType::Empty => 0,
            BlockType::Type(_) => 1,
            BlockType::FuncType(of_type) => {
                let (takes, gives) = self.function_type(of_type);
                takes.max(gives)
            }
        }
    }

    /// What a function takes and gives. One that there is not is the compiler's to refuse, and costs nothing.
    fn function(&self, place: usize) -> (usize, usize) {
        self.functions.get(place).map_or((0, 0), |of_type| self.function_type(*of_type))
    }

    fn function_type(&self, of_type: u32) -> (usize, usize) {
        self.types.get(index(of_type)).copied().unwrap_or_default()
    }
}

/// How many values each type of a group takes and gives; none unless it is a function's.
fn widths(group: RecGroup) -> impl Iterator<Item = (usize, usize)> {
    group.into_types().map(|of_type| match of_type.composite_type.inner {
        CompositeInnerType::Func(function) => (function.params().len(), function.results().len()),
        CompositeInnerType::Array(_) | CompositeInnerType::Struct(_) | CompositeInnerType::Cont(_) => (0, 0),
    })
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
