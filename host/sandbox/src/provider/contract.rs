//! The contract of `wit/provider`: its version, its interfaces and functions, and how a component differs from them.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::runtime::error::LoadError;

/// The interfaces that every plugin exports.
pub const EXPECTED: [&str; 5] = [
    "perennial:provider/types@0.2.0",
    "perennial:provider/profile@0.2.0",
    "perennial:provider/lifecycle@0.2.0",
    "perennial:provider/commands@0.2.0",
    "perennial:provider/usage@0.2.0",
];

/// The interface that a plugin also exports when it answers its provider's own API.
pub(crate) const PROVIDER_API: &str = "perennial:provider/provider-api@0.2.0";

/// The types that both of these use.
const SIGNING: &str = "perennial:provider/signing@0.2.0";

/// The interface that a plugin also exports when it translates to its provider's API.
pub(crate) const CONNECTOR: &str = "perennial:provider/connector@0.2.0";

/// The start of the name of every interface of the contract, in any version.
const PACKAGE: &str = "perennial:provider/";

/// The functions of each interface.
const FUNCTIONS: [(&str, &[&str]); 6] = [
    (EXPECTED[1], &["describe", "check-settings"]),
    (EXPECTED[2], &["timeline"]),
    (EXPECTED[3], &["make-plans"]),
    (EXPECTED[4], &["allocate"]),
    (PROVIDER_API, &["identify", "handle", "fail"]),
    (
        CONNECTOR,
        &["describe-connector", "encode-query", "decode-query", "encode-mutation", "decode-mutation"],
    ),
];

/// What a component exports and imports, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// The names that it exports.
    pub exports: Vec<String>,
    /// The names that it imports.
    pub imports: Vec<String>,
    /// The functions in its exported interfaces: interface and function.
    functions: Vec<(String, String)>,
}

impl Interfaces {
    /// Reads what `component` exports and imports.
    pub fn of(engine: &Engine, component: &Component) -> Interfaces {
        let component = component.component_type();
        let mut functions = Vec::new();
        for (interface, export) in component.exports(engine) {
            if let ComponentItem::ComponentInstance(instance) = export.ty {
                let names = instance.exports(engine).map(|(function, _)| function.to_owned());
                functions.extend(names.map(|function| (interface.to_owned(), function)));
            }
        }
        Interfaces {
            exports: component.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            imports: component.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            functions,
        }
    }

    /// Checks the names of interfaces and functions. The types of the functions are checked when they are first bound.
    ///
    /// # Errors
    ///
    /// [`LoadError::WantsPowers`] when it imports a part of WASI, [`LoadError::OtherContract`] when it was built for
    /// another version of the contract, [`LoadError::WrongContract`] with every difference otherwise.
    pub fn check(&self, origin: &str) -> Result<(), LoadError> {
        if self.imports.iter().any(|import| import.starts_with("wasi:")) {
            return Err(LoadError::WantsPowers { origin: origin.to_owned(), imports: quoted(&self.imports) });
        }
        let differences = self.differences();
        if let (false, Some(version)) = (differences.is_empty(), self.other_version()) {
            return Err(LoadError::OtherContract {
                origin: origin.to_owned(),
                version: version.to_owned(),
                expected: version_of(PROVIDER_API).to_owned(),
            });
        }
        match differences.is_empty() {
            true => Ok(()),
            false => Err(self.wrong(origin, differences.join("; "))),
        }
    }

    /// Whether the component answers its provider's own API.
    pub(crate) fn has_provider_api(&self) -> bool {
        self.has(PROVIDER_API)
    }

    /// Whether the component translates to its provider's API.
    pub(crate) fn has_connector(&self) -> bool {
        self.has(CONNECTOR)
    }

    /// The error for a component that differs from the contract in `problem`.
    pub fn wrong(&self, origin: &str, problem: String) -> LoadError {
        LoadError::WrongContract {
            origin: origin.to_owned(),
            exports: quoted(&self.exports),
            imports: quoted(&self.imports),
            expected: quoted(&EXPECTED.map(str::to_owned)),
            problem,
        }
    }

    fn has(&self, interface: &str) -> bool {
        self.exports.iter().any(|export| export == interface)
    }

    /// Every difference from the contract that the names show, as one clause each.
    fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        if !self.imports.is_empty() {
            differences.push("a plugin has no capabilities and imports nothing".to_owned());
        }
        let missing = EXPECTED.into_iter().filter(|interface| !self.has(interface));
        differences.extend(missing.map(|interface| format!("`{interface}` is missing")));
        let is_known =
            |export: &str| [PROVIDER_API, CONNECTOR, SIGNING].contains(&export) || EXPECTED.contains(&export);
        let unknown =
            self.exports.iter().filter(|export| export.starts_with(PACKAGE) && !is_known(export.as_str()));
        differences.extend(unknown.map(|export| format!("`{export}` is not part of the contract")));
        for (interface, functions) in FUNCTIONS.into_iter().filter(|(interface, _)| self.has(interface)) {
            let missing = functions.iter().filter(|function| !self.has_function(interface, function));
            differences.extend(missing.map(|function| format!("`{interface}` lacks `{function}`")));
        }
        differences
    }

    fn has_function(&self, interface: &str, function: &str) -> bool {
        self.functions.iter().any(|(of, name)| of == interface && name == function)
    }

    /// The version of the contract's interfaces that it exports, if it is another one than this host's.
    fn other_version(&self) -> Option<&str> {
        let versions = self.exports.iter().filter(|export| export.starts_with(PACKAGE));
        versions.map(|export| version_of(export)).find(|version| *version != version_of(PROVIDER_API))
    }
}

/// The version in the name of an interface; all of the name if there is none.
fn version_of(interface: &str) -> &str {
    interface.rsplit('@').next().unwrap_or_default()
}

fn quoted(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
