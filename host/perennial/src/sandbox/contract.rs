//! Whether a component is a provider's plugin: what it exports and imports, against what `wit/provider` says.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::sandbox::error::LoadError;

/// The interfaces that a provider's plugin exports.
pub const EXPECTED: [&str; 5] = [
    "perennial:provider/types@0.2.0",
    "perennial:provider/profile@0.2.0",
    "perennial:provider/lifecycle@0.2.0",
    "perennial:provider/commands@0.2.0",
    "perennial:provider/usage@0.2.0",
];

/// The interface that it exports as well if the host is to serve its provider's own API.
pub const PROVIDER_API: &str = "perennial:provider/provider-api@0.2.0";

/// What a component exports and imports, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces {
    /// What others may call.
    pub exports: Vec<String>,
    /// What it would call.
    pub imports: Vec<String>,
}

impl Interfaces {
    /// Those of `component`.
    pub fn of(engine: &Engine, component: &Component) -> Interfaces {
        let component = component.component_type();
        Interfaces {
            exports: component.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            imports: component.imports(engine).map(|(name, _)| name.to_owned()).collect(),
        }
    }

    /// Checks the names; whether the functions behind them have the right types shows when they are first bound.
    ///
    /// # Errors
    ///
    /// [`LoadError::WantsPowers`] when it imports a part of WASI, [`LoadError::WrongContract`] for everything else.
    pub fn check(&self, origin: &str) -> Result<(), LoadError> {
        if self.imports.iter().any(|import| import.starts_with("wasi:")) {
            return Err(LoadError::WantsPowers { origin: origin.to_owned(), imports: quoted(&self.imports) });
        }
        if !self.imports.is_empty() {
            return Err(self.wrong(origin, "a plugin has no powers and imports nothing".to_owned()));
        }
        let has = |wanted: &str| self.exports.iter().any(|export| export == wanted);
        match EXPECTED.into_iter().find(|wanted| !has(wanted)) {
            Some(missing) => Err(self.wrong(origin, format!("`{missing}` is missing"))),
            None => Ok(()),
        }
    }

    /// Whether the component answers its provider's own API.
    pub fn has_provider_api(&self) -> bool {
        self.exports.iter().any(|export| export == PROVIDER_API)
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
}

fn quoted(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
