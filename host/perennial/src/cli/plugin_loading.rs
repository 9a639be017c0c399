//! Which plugins a command loads: the bundled ones, those of the configuration and those of the command line, or one alone.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use perennial_engine::policies::Policies;
use perennial_engine::rules::Providers;
use perennial_engine::rules::Rules;
use perennial_formats::package_manifest;
use perennial_sandbox::Grants;
use perennial_sandbox::Interpreter;
use perennial_sandbox::Limits;
use perennial_sandbox::Options;
use perennial_sandbox::Origin;
use perennial_sandbox::Plugin;
use perennial_sandbox::PluginFile;
use perennial_sandbox::Plugins;
use perennial_sandbox::Trust;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input::shown;
use crate::cli::package_check::check_packages;
use crate::cli::plugin_error;
use crate::cli::plugin_error::is_wrong_file;

impl Context {
    /// The bundled plugins, those of the configuration and those that were named.
    pub(super) fn load_plugins(&self) -> anyhow::Result<Plugins> {
        let mut files = self.config()?.plugins.clone();
        files.extend(self.plugins.iter().filter(|named| !files.contains(named)).cloned().collect::<Vec<_>>());
        let options = self.options(files, self.config()?.trust.clone(), false)?;
        let plugins = Plugins::load(&options).map_err(|error| match is_wrong_file(&error) {
            true => UserError::Argument(error.to_string()).into(),
            false => anyhow::Error::from(error),
        })?;
        check_packages(&plugins)?;
        Ok(plugins)
    }

    fn options(
        &self,
        files: Vec<PluginFile>,
        trust: Trust,
        whatever_is_asked: bool,
    ) -> Result<Options, UserError> {
        let config = self.config()?;
        let cache_dir = self.cache.clone().or_else(default_cache);
        let limits = Limits { wakes_per_hour_max: config.limits.wakes_per_hour_max, ..Limits::DEFAULT };
        let grants = Grants {
            bounds: config.grant_bounds,
            of_files: config.grants.clone(),
            whatever_is_asked,
            ..Grants::new(package_manifest::limits)
        };
        Ok(Options { files, cache_dir, limits, trust, grants })
    }

    /// The plugin of one file, whatever the configuration and the command line name beside it, for what `verb` says in messages,
    /// such as `check`. It is granted what it asks for, as far as the configuration allows: nothing here decides about anything.
    pub(super) fn load_plugin(&self, verb: &str, file: &PluginFile) -> anyhow::Result<Arc<Plugin>> {
        let options = self.options(vec![file.clone()], Trust::default(), true)?;
        let loaded = Plugins::load(&options);
        let plugins = loaded.map_err(|error| plugin_error::not_loaded(verb, &file.path, &error))?;
        let wrong = |why: String| UserError::Argument(format!("cannot {verb} {}: {why}", shown(&file.path)));
        check_packages(&plugins).map_err(|error| wrong(error.to_string()))?;
        let found = plugins.iter().find(|plugin| *plugin.origin() == Origin::File(file.path.clone()));
        Ok(Arc::clone(found.ok_or_else(|| wrong("it is no plugin".to_owned()))?))
    }

    /// The rules of every provider.
    pub(super) fn providers(&self) -> anyhow::Result<Providers> {
        Ok(Providers::of_plugins(Arc::new(self.load_plugins()?)))
    }

    /// The rules of every provider, and the policies of the database, which rule on their plans.
    pub(super) fn providers_with_policies(&self) -> anyhow::Result<Providers> {
        let plugins = Arc::new(self.load_plugins()?);
        let interpreter = Interpreter::load(&plugins)?;
        let config = self.config()?;
        let policies = Policies::stored(interpreter, config.limits.limit_raise_people);
        Ok(Providers::of_plugins(plugins).with_upgrade(config.upgrade).with_policies(Arc::new(policies)))
    }
}

/// The rules that these plugins have.
pub(super) fn rules_of(plugins: &Plugins) -> Providers {
    let plugins = plugins.iter();
    plugins.map(|plugin| (plugin.manifest().id.clone(), plugin.clone() as Arc<dyn Rules>)).collect()
}

/// Where programs of this user keep what they can make again.
fn default_cache() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
    cache.filter(|path| path.is_absolute()).or_else(home).map(|path| path.join("perennial"))
}
