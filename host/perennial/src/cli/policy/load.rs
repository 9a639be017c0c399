//! Reads a policy file with its scripts, and has the interpreter look at them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use perennial_domain::manifest::Manifest;
use perennial_domain::policy::Policy;
use perennial_domain::policy::PolicySet;
use perennial_domain::policy::ScriptFailure;
use perennial_formats::policy;
use perennial_sandbox::Interpreter;
use perennial_sandbox::Plugins;
use perennial_sandbox::ScriptReport;

use crate::cli::Context;
use crate::cli::UserError;
use crate::cli::input;
use crate::report::text::printable;
use crate::report::text::width;

/// A policy file, its scripts, and what can run them.
pub struct LoadedPolicies {
    /// The policies of the file.
    pub set: PolicySet,
    /// What the interpreter makes of each script, in the order of the policies.
    pub reports: Vec<ScriptReport>,
    /// The component that runs the scripts.
    pub interpreter: Interpreter,
    /// The plugins whose providers the file may name.
    pub plugins: Plugins,
    /// The folder that scripts are named from.
    folder: PathBuf,
    /// The policy file as it is; for a script alone, one that names it.
    text: String,
}

impl LoadedPolicies {
    /// Reads `file`: a policy file, or a script alone, which is then asked about every plan.
    ///
    /// # Errors
    ///
    /// A [`UserError`] with every problem of the file or, when there is none, of every script.
    pub fn read(context: &Context, file: &Path) -> anyhow::Result<LoadedPolicies> {
        let loaded = LoadedPolicies::read_for(context.load_plugins()?, file)?;
        if loaded.set.policies.is_empty() && loaded.set.calendars.is_empty() {
            let message = format!(
                "there is no policy in {}, and no calendar; `perennial policy new NAME --file FILE` writes one to begin with",
                input::shown(file)
            );
            return Err(UserError::Argument(message).into());
        }
        Ok(loaded)
    }

    /// The same for these plugins.
    ///
    /// # Errors
    ///
    /// Those of [`LoadedPolicies::read`].
    pub(crate) fn read_for(plugins: Plugins, file: &Path) -> anyhow::Result<LoadedPolicies> {
        let text = input::read(file)?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        let interpreter = Interpreter::load(&plugins)?;
        let (set, text) = match file.extension().is_some_and(|extension| extension == "rhai") {
            true => {
                let set = alone(file, text);
                let named = |policy: &Policy| {
                    format!("[[policy]]\nname = {:?}\nscript = {:?}\n", policy.name, policy.script)
                };
                let text = set.policies.iter().map(named).collect();
                (set, text)
            }
            false => {
                let found = RefCell::new(Vec::new());
                let script = |name: &str| -> Result<String, String> {
                    let bytes = input::read_bytes(&folder.join(name)).map_err(|error| match &error {
                        UserError::Unreadable { source, .. } => source.to_string(),
                        UserError::File { .. } | UserError::Argument(_) => error.to_string(),
                    })?;
                    let text = String::from_utf8(bytes).map_err(|error| error.utf8_error().to_string())?;
                    let mut set = alone(Path::new(name), text.clone());
                    name.clone_into(&mut set.policies[0].script);
                    found.borrow_mut().push(set);
                    Ok(text)
                };
                let set = policy::read(&text, &manifests(&plugins), &script).map_err(|problems| {
                    let of_file = UserError::File { path: file.to_owned(), problems };
                    beside(of_file, &interpreter, &folder, &found.borrow())
                })?;
                (set, text)
            }
        };
        let reports = interpreter.check(&set);
        let loaded = LoadedPolicies { set, reports, interpreter, plugins, folder, text };
        let problems = loaded.problems();
        if problems.is_empty() { Ok(loaded) } else { Err(UserError::Argument(problems).into()) }
    }

    /// The file and its scripts as a host takes them in the body of a request.
    pub(crate) fn body(&self) -> serde_json::Value {
        let scripts = self.set.policies.iter().map(|policy| (policy.script.clone(), policy.text.clone()));
        serde_json::json!({ "file": self.text, "scripts": scripts.collect::<BTreeMap<_, _>>() })
    }

    /// The policy file as a host takes it, beside the scripts.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The file of a policy's script.
    pub(crate) fn script_path(&self, policy: &Policy) -> PathBuf {
        self.folder.join(&policy.script)
    }

    /// The manifests of the providers that there are.
    pub fn manifests(&self) -> BTreeMap<String, &Manifest> {
        manifests(&self.plugins)
    }

    /// Every problem of every script, each with its place and its line.
    fn problems(&self) -> String {
        let reports = self.set.policies.iter().zip(&self.reports);
        let problems = reports.flat_map(|(policy, report)| {
            report.problems.iter().map(|problem| finding(&self.script_path(policy), problem))
        });
        in_scripts(&problems.collect::<Vec<_>>())
    }
}

/// The problems of a file, and those of the scripts that it could name: each a set of its own.
fn beside(of_file: UserError, interpreter: &Interpreter, folder: &Path, scripts: &[PolicySet]) -> UserError {
    let problems = scripts.iter().flat_map(|set| {
        let path = folder.join(&set.policies[0].script);
        let problems = interpreter.check_without_calendars(set).into_iter();
        problems.map(|problem| finding(&path, &problem)).collect::<Vec<_>>()
    });
    let problems = problems.collect::<Vec<_>>();
    match problems.is_empty() {
        true => of_file,
        false => UserError::Argument(format!("{of_file}\n{}", in_scripts(&problems))),
    }
}

/// All of them with their number; empty when there are none.
fn in_scripts(problems: &[String]) -> String {
    let plural = if problems.len() == 1 { "" } else { "s" };
    match problems.is_empty() {
        true => String::new(),
        false => format!("{} problem{plural} in scripts:\n{}", problems.len(), problems.join("\n")),
    }
}

/// Something about a script: its place, what it is and, where that is known, the line with a mark under the column.
pub fn finding(path: &Path, finding: &ScriptFailure) -> String {
    let ScriptFailure { message, line, column, text, .. } = finding;
    let message = printable(message);
    if *line == 0 {
        return format!("  {}: {message}", path.display());
    }
    // A tab is one column to the interpreter, and to who reads the line here.
    let text = printable(&text.replace('\t', " "));
    let before = text.chars().take((*column as usize).saturating_sub(1)).collect::<String>();
    let mark = format!("{}^", " ".repeat(width(&before)));
    format!("  {}:{line}:{column}: {message}\n    {line:>4} | {text}\n         | {mark}", path.display())
}

fn manifests(plugins: &Plugins) -> BTreeMap<String, &Manifest> {
    plugins.iter().map(|plugin| (plugin.manifest().id.clone(), plugin.manifest())).collect()
}

/// A set of one policy that is asked about every plan.
fn alone(file: &Path, text: String) -> PolicySet {
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    PolicySet::of_script(part(file.file_stem()), part(file.file_name()), text)
}
