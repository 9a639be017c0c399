//! The contract of `wit/provider`: its version, its interfaces and functions, and how a component differs from them.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::runtime::error::LoadError;
use crate::runtime::wasi;

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
                let is_function = |item: &ComponentItem| matches!(item, ComponentItem::ComponentFunc(_));
                let exports = instance.exports(engine).filter(|(_, export)| is_function(&export.ty));
                functions.extend(exports.map(|(function, _)| (interface.to_owned(), function.to_owned())));
            }
        }
        Interfaces {
            exports: component.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            imports: component.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            functions,
        }
    }

    /// Checks the names of interfaces and functions; with `wasi`, the parts of WASI that have stubs may be imported. The types of the functions are checked when they are first bound.
    ///
    /// # Errors
    ///
    /// [`LoadError::WantsPowers`] when it imports a part of WASI that it may not, [`LoadError::OtherContract`] when it was built for
    /// another version of the contract, [`LoadError::WrongContract`] with every difference otherwise.
    pub fn check(&self, origin: &str, wasi: bool) -> Result<(), LoadError> {
        let is_stub = |import: &&String| wasi && wasi::is_answered(import);
        let imports = self.imports.iter().filter(|import| !is_stub(import)).cloned().collect::<Vec<_>>();
        if imports.iter().any(|import| import.starts_with("wasi:")) {
            return Err(LoadError::WantsPowers { origin: origin.to_owned(), imports: quoted(&imports) });
        }
        let differences = self.differences(!imports.is_empty());
        if let (false, Some(version)) = (differences.is_empty(), self.other_version()) {
            return Err(LoadError::OtherContract {
                origin: origin.to_owned(),
                version: version.to_owned(),
                expected: version_of(PROVIDER_API).to_owned(),
                problem: self.differences_of(version).join("; "),
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
    fn differences(&self, has_imports: bool) -> Vec<String> {
        let mut differences = Vec::new();
        if has_imports {
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

    /// How what it exports of another version of the contract differs from this one: what has its names there, what is missing and
    /// what there is no more.
    fn differences_of(&self, version: &str) -> Vec<String> {
        let there = |interface: &str| format!("{PACKAGE}{}@{version}", short(interface));
        let known = EXPECTED.into_iter().chain([PROVIDER_API, CONNECTOR, SIGNING]);
        let (same, other): (Vec<_>, Vec<_>) = known.partition(|interface| self.has(&there(interface)));
        let names = |interfaces: &[&str]| {
            quoted(&interfaces.iter().map(|interface| short(interface).to_owned()).collect::<Vec<_>>())
        };
        let mut differences = Vec::new();
        if !same.is_empty() {
            differences.push(format!("of version {version}: {}", names(&same)));
        }
        let missing =
            other.into_iter().filter(|interface| EXPECTED.contains(interface) && !self.has(interface));
        let missing = missing.collect::<Vec<_>>();
        if !missing.is_empty() {
            differences.push(format!("missing: {}", names(&missing)));
        }
        for (interface, functions) in FUNCTIONS.into_iter().filter(|(interface, _)| same.contains(interface))
        {
            let (name, there) = (short(interface), there(interface));
            let missing = functions.iter().filter(|function| !self.has_function(&there, function));
            differences.extend(missing.map(|function| format!("`{name}` lacks `{function}`")));
            let own = self.functions.iter().filter(|(of, _)| *of == there);
            let extra = own.filter(|(_, function)| !functions.contains(&function.as_str()));
            differences.extend(
                extra.map(|(_, function)| format!("`{name}` has `{function}`, which it has no more")),
            );
        }
        let is_known = |export: &str| same.iter().any(|interface| there(interface) == export);
        let is_extra = |export: &&String| export.ends_with(&format!("@{version}")) && !is_known(export);
        let extra = self.exports.iter().filter(|export| export.starts_with(PACKAGE)).filter(is_extra);
        differences.extend(extra.map(|export| format!("there is no `{}`", short(export))));
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

/// The name of an interface of the contract, without its package and version.
fn short(interface: &str) -> &str {
    let name = interface.strip_prefix(PACKAGE).unwrap_or(interface);
    name.split('@').next().unwrap_or(name)
}

fn quoted(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
