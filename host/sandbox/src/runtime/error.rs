//! Errors of calling a plugin and of loading one.

use std::path::PathBuf;
use std::time::Duration;

/// Why a plugin gave no usable answer about a bundle.
///
/// A provider saying no is an answer, not an error. Every message names the plugin and the function, because the
/// reader's next step is to look there; the caller knows the bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// It was still computing when its fuel was used up: asked again, it would be again.
    #[error(
        "plugin `{plugin}` used up its {fuel} units of fuel in `{function}`: a rule that does not end, or is far too \
         slow; tell its author"
    )]
    OutOfFuel {
        /// Its id, or where it comes from while that is not known.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// The fuel that a call may take.
        fuel: u64,
    },
    /// It was still computing when its time was up. The machine may have been busy.
    #[error(
        "plugin `{plugin}` was stopped after {limit:?} in `{function}`; if the machine is not overloaded, tell its \
         author"
    )]
    OutOfTime {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// The time that a call may take.
        limit: Duration,
    },
    /// It wanted more memory than plugins get.
    #[error(
        "plugin `{plugin}` wanted more than {limit_bytes} bytes of memory in `{function}`; tell its author"
    )]
    OutOfMemory {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// The memory that a plugin may have, in bytes.
        limit_bytes: usize,
    },
    /// It wanted larger tables than plugins get.
    #[error("plugin `{plugin}` wanted more than {limit} table elements in `{function}`; tell its author")]
    OutOfTable {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// The most elements that its tables may have.
        limit: usize,
    },
    /// Its calls went too deep.
    #[error(
        "plugin `{plugin}` used up its {limit_bytes} bytes of stack in `{function}`: a rule that calls itself; tell \
         its author"
    )]
    OutOfStack {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// The stack that a plugin may use, in bytes.
        limit_bytes: usize,
    },
    /// It panicked, or did something WebAssembly forbids.
    #[error(
        "plugin `{plugin}` crashed in `{function}`: {reason}; report the input of the call to its author"
    )]
    Crashed {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// In its own words, if it said anything, and in WebAssembly's.
        reason: String,
    },
    /// Its answer would take more of the host's memory than answers may.
    #[error("plugin `{plugin}` answered `{function}` with more than {limit_bytes} bytes; tell its author")]
    TooLong {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// What an answer may take.
        limit_bytes: usize,
    },
    /// It gave more or fewer answers than there were requests.
    #[error(
        "plugin `{plugin}` gave {answers} answers in `{function}` where the number due was {requests}; tell its author"
    )]
    WrongCount {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// The number of requests.
        requests: usize,
        /// The number of answers.
        answers: usize,
    },
    /// Its answer contradicts the contract.
    #[error("plugin `{plugin}` answered `{function}` with nonsense: {problem}; tell its author")]
    Nonsense {
        /// The id of the plugin.
        plugin: String,
        /// The contract's function that was called.
        function: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// It failed over requests that it was asked together, and was not asked this one alone.
    #[error(transparent)]
    Together(Box<PluginError>),
}

impl PluginError {
    /// Whether the plugin was asked this request alone, so that no other can be the reason.
    pub fn is_alone(&self) -> bool {
        !matches!(self, PluginError::Together(_))
    }
}

/// Why a plugin could not be loaded. Every message names where it comes from: a file, or `bundled`.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The engine that runs plugins could not be set up.
    #[error(
        "cannot set up the sandbox: {reason}; it needs about 200 GB of address space, though no memory: see `ulimit -v`"
    )]
    NoSandbox {
        /// In the engine's words.
        reason: String,
    },
    /// The file could not be read.
    #[error("cannot read the plugin `{path}`: {source}")]
    Unreadable {
        /// The file of the component.
        path: PathBuf,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The file is another revision than the one that was asked for.
    #[error(
        "the plugin `{path}` has the digest {found}, and {expected} was asked for; put that revision there, or name the \
         other digest if the new one is meant"
    )]
    OtherDigest {
        /// The file of the component.
        path: PathBuf,
        /// The digest that was asked for, in hexadecimal.
        expected: String,
        /// The digest of the file.
        found: String,
    },
    /// It has no signature where one is required.
    #[error(
        "the plugin {origin} has no signature, and only signed ones are trusted here (`[trust] keys`); have its author sign it \
         with `perennial plugin sign`, or name the key that signed it"
    )]
    Unsigned {
        /// The file of the component.
        origin: String,
    },
    /// Its signature is none of a trusted key.
    #[error(
        "the signature of the plugin {origin} does not count: {problem}; get the plugin and its signature anew from its author"
    )]
    WronglySigned {
        /// The file of the component.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The table is longer than tables may be, whatever is granted.
    #[error(
        "the table {origin} has {bytes} bytes; at most {limit_bytes} are accepted, because every call reads all of it; \
         write a component instead"
    )]
    TableTooLarge {
        /// The file of the table, or that it is bundled.
        origin: String,
        /// The size of the file, in bytes.
        bytes: usize,
        /// The most bytes that a table may have.
        limit_bytes: usize,
    },
    /// The component is larger than plugins may be.
    #[error(
        "the plugin {origin} has {bytes} bytes; at most {limit_bytes} are accepted, unless more is granted (`size={bytes}`)"
    )]
    TooLarge {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// The size of the file, in bytes.
        bytes: usize,
        /// The most bytes that a component may have.
        limit_bytes: usize,
    },
    /// The component has more code than plugins may have: compiling it would take too long.
    #[error(
        "the plugin {origin} has {found} {what}; at most {limit} are accepted, because all of it is compiled"
    )]
    TooMuchCode {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// What there is too much of and, if it is of one function, of which: its place in its module, and the module's.
        what: String,
        /// How much there is.
        found: usize,
        /// How much there may be.
        limit: usize,
    },
    /// The file is something else.
    #[error(
        "{origin} is not WebAssembly; a plugin is a component, a file that begins with the bytes 00 61 73 6d 0d 00 01 00"
    )]
    NotWebAssembly {
        /// The file of the component, or that it is bundled.
        origin: String,
    },
    /// The file is a module, the step before a component.
    #[error(
        "{origin} is a core WebAssembly module, and a plugin is a component; make one of it with \
         `wasm-tools component new`"
    )]
    CoreModule {
        /// The file of the component, or that it is bundled.
        origin: String,
    },
    /// The component is not valid, or uses something that is switched off.
    #[error("the plugin {origin} cannot be compiled: {reason}")]
    Invalid {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// In the compiler's words.
        reason: String,
    },
    /// The host itself failed over the component, which is a fault of the host and of the file at once.
    #[error(
        "the plugin {origin} makes the host fail while it is loaded: {reason}; build it with other tools, and send the \
         file to the authors of Perennial"
    )]
    Unloadable {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// The message of the panic.
        reason: String,
    },
    /// The component wants capabilities.
    #[error(
        "the plugin {origin} imports {imports}, and plugins have no capabilities: they import nothing; build it for \
         `wasm32-unknown-unknown`, without the parts of its language that need a system, or with its tool's `--stub-wasi`. Parts \
         of WASI 0.2 are answered by stubs without an effect, if the operator grants `wasi`"
    )]
    WantsPowers {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// The names that the file imports.
        imports: String,
    },
    /// What it says of itself as a package cannot be read.
    #[error(
        "what the plugin {origin} says of itself as a package cannot be read: {problem}; have its author pack it again"
    )]
    WrongPackage {
        /// The file of the component.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It asks for more than every plugin has, and that was not granted.
    #[error(
        "the plugin {origin} asks for more than it may have: {missing}; if you trust it with that, grant it: `perennial plugin \
         install FILE --grant {grant}` or, for a file of the configuration, `[plugins.grants]` with `\"FILE\" = \"{grant}\"`"
    )]
    NotGranted {
        /// The file of the component.
        origin: String,
        /// Each limit with what is asked and what is allowed.
        missing: String,
        /// The grant that it asks for, as it is written.
        grant: String,
    },
    /// More is granted than the configuration allows.
    #[error(
        "the plugin {origin} cannot be granted that: {above}; `grants_max` in `[plugins]` of the configuration has the bounds"
    )]
    TooMuchGranted {
        /// The file of the component.
        origin: String,
        /// Each limit with what is granted and what may be.
        above: String,
    },
    /// The component is a plugin for another version of the contract.
    #[error(
        "the plugin {origin} was built for version {version} of the contract `perennial:provider`, and this host runs \
         version {expected}: {problem}; build the plugin again with the `wit/provider` of this host"
    )]
    OtherContract {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// The version that the plugin was built for.
        version: String,
        /// The version that this host runs.
        expected: String,
        /// What is of the other version, missing or there no more, separated by semicolons.
        problem: String,
    },
    /// The component is not a provider's plugin, or its functions differ from the contract's.
    #[error(
        "the plugin {origin} exports {exports}, imports {imports}, and is expected to export {expected}: {problem}"
    )]
    WrongContract {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// The names that the file exports.
        exports: String,
        /// The names that the file imports.
        imports: String,
        /// The names that this host expects.
        expected: String,
        /// Every difference, separated by semicolons.
        problem: String,
    },
    /// A table says what no table can say, or is not UTF-8.
    #[error("the table {origin} cannot be used; nothing of it is loaded:{problems}")]
    WrongTable {
        /// The file of the table, or that it is bundled.
        origin: String,
        /// Every problem, each with its line; each begins with a space or a line break.
        problems: String,
    },
    /// The component gave no manifest.
    #[error("the manifest of the plugin {origin} cannot be read: {source}")]
    Silent {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// Why the plugin gave no manifest.
        source: PluginError,
    },
    /// What it says of itself contradicts the contract.
    #[error("the plugin {origin} describes itself in a way that makes no sense: {problems}")]
    WrongManifest {
        /// The file of the component, or that it is bundled.
        origin: String,
        /// Every problem, separated by semicolons.
        problems: String,
    },
    /// Two files hold a plugin for one provider.
    #[error("both {first} and {second} are plugins for the provider `{id}`; load one of them")]
    Twice {
        /// The id of the provider.
        id: String,
        /// The file that was named first.
        first: String,
        /// The name of the other plugin.
        second: String,
    },
}

impl LoadError {
    /// How far the plugin came, in one word: the stage of loading at which it failed.
    pub fn stage(&self) -> &'static str {
        match self {
            LoadError::Unreadable { .. } => "read",
            LoadError::OtherDigest { .. } => "digest",
            LoadError::Unsigned { .. } | LoadError::WronglySigned { .. } => "signature",
            LoadError::WrongPackage { .. }
            | LoadError::NotGranted { .. }
            | LoadError::TooMuchGranted { .. } => "limits",
            LoadError::TableTooLarge { .. } | LoadError::TooLarge { .. } | LoadError::TooMuchCode { .. } => {
                "size"
            }
            LoadError::NotWebAssembly { .. }
            | LoadError::CoreModule { .. }
            | LoadError::WantsPowers { .. }
            | LoadError::OtherContract { .. }
            | LoadError::WrongContract { .. } => "contract",
            LoadError::NoSandbox { .. } | LoadError::Invalid { .. } | LoadError::Unloadable { .. } => {
                "compile"
            }
            LoadError::WrongTable { .. }
            | LoadError::Silent { .. }
            | LoadError::WrongManifest { .. }
            | LoadError::Twice { .. } => "describe",
        }
    }
}
