//! What a package says of itself, in the custom section `perennial-package` of its component: JSON.
//!
//! ```json
//! { "limits": { "fuel_per_item": 300000, "memory_bytes": 67108864, "file_bytes": 33554432, "wasi": true } }
//! ```
//!
//! Its author wrote it, so nothing of it is believed; it says what to ask the operator for.

use perennial_domain::plugin_limits::PluginLimits;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// The longest section that is read, in bytes.
const BYTES_MAX: usize = 64 << 10;

/// The key of the limits.
const LIMITS: &str = "limits";

/// The limits that a section asks for; nothing where it names none. Other keys are for others.
///
/// # Errors
///
/// Every problem of it, in words, separated by semicolons.
pub fn limits(section: &[u8]) -> Result<PluginLimits, String> {
    if section.len() > BYTES_MAX {
        return Err(format!("it has {} bytes, and at most {BYTES_MAX} are read", section.len()));
    }
    let whole =
        serde_json::from_slice::<Value>(section).map_err(|error| format!("it is not JSON: {error}"))?;
    let whole = whole.as_object().ok_or("it is no object")?;
    match whole.get(LIMITS) {
        None | Some(Value::Null) => Ok(PluginLimits::NONE),
        Some(Value::Object(limits)) => read(limits),
        Some(_) => Err(format!("`{LIMITS}` is no object")),
    }
}

fn read(given: &Map<String, Value>) -> Result<PluginLimits, String> {
    let (mut limits, mut problems) = (PluginLimits::NONE, Vec::new());
    for (name, value) in given {
        let number = match name.as_str() {
            "fuel_per_item" => &mut limits.fuel_per_item,
            "memory_bytes" => &mut limits.memory_bytes,
            "file_bytes" => &mut limits.file_bytes,
            "wasi" => {
                match value.as_bool() {
                    Some(wasi) => limits.wasi = wasi,
                    None => problems.push("`limits.wasi` is neither true nor false".to_owned()),
                }
                continue;
            }
            _ => {
                problems.push(format!("`limits.{}` is no limit", name.escape_debug()));
                continue;
            }
        };
        *number = value.as_u64().filter(|number| *number > 0);
        if number.is_none() {
            problems.push(format!("`limits.{name}` is no whole number above 0"));
        }
    }
    if problems.is_empty() { Ok(limits) } else { Err(problems.join("; ")) }
}

/// The value of the key `limits` in the section; the other keys stand beside it.
pub(crate) fn limits_value(limits: PluginLimits) -> Value {
    let PluginLimits { fuel_per_item, memory_bytes, file_bytes, wasi } = limits;
    let numbers =
        [("fuel_per_item", fuel_per_item), ("memory_bytes", memory_bytes), ("file_bytes", file_bytes)];
    let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into())));
    let wasi = wasi.then(|| ("wasi".to_owned(), json!(true)));
    Value::Object(numbers.chain(wasi).collect())
}

/// A section that asks for limits, and says nothing else.
pub fn section(limits: PluginLimits) -> Vec<u8> {
    json!({ LIMITS: limits_value(limits) }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_read_as_it_was_written() {
        for text in ["", "wasi", "fuel-per-item=300000,memory=64MiB,size=32MiB,wasi", "size=18822670"] {
            let asked = PluginLimits::read(text).unwrap();
            assert_eq!(limits(&section(asked)), Ok(asked), "{text}");
        }
        assert_eq!(limits(br#"{"name": "nimbus", "version": "1.0.0"}"#), Ok(PluginLimits::NONE));
    }

    #[test]
    fn a_section_that_lies_about_itself_is_refused() {
        for (text, problem) in [
            ("[]", "it is no object"),
            ("{", "it is not JSON"),
            (r#"{"limits": 7}"#, "`limits` is no object"),
            (r#"{"limits": {"wasi": 1}}"#, "`limits.wasi` is neither true nor false"),
            (r#"{"limits": {"memory_bytes": -1}}"#, "`limits.memory_bytes` is no whole number above 0"),
            (r#"{"limits": {"file_bytes": 1e99}}"#, "`limits.file_bytes` is no whole number above 0"),
            (r#"{"limits": {"network": true}}"#, "`limits.network` is no limit"),
        ] {
            let told = limits(text.as_bytes()).unwrap_err();
            assert!(told.contains(problem), "{text}: {told}");
        }
        assert!(limits(&vec![b' '; BYTES_MAX + 1]).unwrap_err().contains("at most 65536 are read"));
    }
}
