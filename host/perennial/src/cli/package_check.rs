//! Whether the files of plugins are the packages that they say they are. Loads none.

use perennial_formats::package::PackageManifest;
use perennial_sandbox::Origin;
use perennial_sandbox::Plugins;

use crate::cli::UserError;

/// Whether every file says of itself, if it says anything, what its plugin is.
pub(super) fn check_packages(plugins: &Plugins) -> Result<(), UserError> {
    for plugin in plugins.iter().filter(|plugin| matches!(plugin.origin(), Origin::File(_))) {
        let (manifest, mut problems) = PackageManifest::read(plugin.parts().written(), plugin.is_table());
        problems.extend(manifest.contradictions(&plugin.manifest().id));
        if manifest.is_package() && !problems.is_empty() {
            return Err(UserError::Argument(format!(
                "the plugin {} is no package that is believed: {}; have its author pack it again",
                plugin.origin(),
                problems.join("; ")
            )));
        }
    }
    Ok(())
}
