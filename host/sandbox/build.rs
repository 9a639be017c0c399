//! Compiles the bundled plugins to components, for `sandbox::provider::bundled` to embed.

use std::process::ExitCode;

fn main() -> ExitCode {
    plugin_builder::script(|folders| {
        for plugin in ["plugin-baidu", "plugin-declared", "plugin-huawei", "plugin-script"] {
            plugin_builder::build(plugin, folders)?;
        }
        Ok(())
    })
}
