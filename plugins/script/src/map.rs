//! Names with values that a script reads: tags, attributes, settings, options. A name that is not there is `()`.

use std::fmt;
use std::rc::Rc;

use rhai::Array;
use rhai::Dynamic;
use rhai::Engine;
use rhai::ImmutableString;

use crate::context::Context;
use crate::failure::Outcome;
use crate::failure::error;
use crate::failure::read_only;

/// Names with values, in the order of the batch. A script cannot change it.
#[derive(Clone, Debug)]
pub struct TextMap(Rc<Vec<(ImmutableString, ImmutableString)>>);

impl TextMap {
    /// A map of these names and values.
    pub fn new(pairs: Vec<(ImmutableString, ImmutableString)>) -> TextMap {
        TextMap(Rc::new(pairs))
    }

    /// The value of `name`, or `()`.
    pub fn get(&self, name: &str) -> Dynamic {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or(Dynamic::UNIT, |(_, value)| value.clone().into())
    }

    /// Every name and value.
    pub fn iter(&self) -> impl Iterator<Item = &(ImmutableString, ImmutableString)> {
        self.0.iter()
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

impl fmt::Display for TextMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        f.write_str(&pairs.join(", "))
    }
}

/// Gives `engine` what a script can do with such a map.
pub(crate) fn register(engine: &mut Engine, context: &Rc<Context>) {
    engine.register_type_with_name::<TextMap>("map");
    let context = Rc::clone(context);
    engine.register_indexer_get(move |map: &mut TextMap, name: ImmutableString| {
        context.work.add_items(map.0.len());
        map.get(&name)
    });
    // Rhai's own property of every value must not hide the name.
    engine.register_get("tag", |map: &mut TextMap| map.get("tag"));
    // Rhai writes a value back after it called a method on it, so what stays the same is no change.
    engine.register_indexer_set(|map: &mut TextMap, name: ImmutableString, value: Dynamic| -> Outcome<()> {
        let before = map.get(&name).into_immutable_string().ok();
        match before == value.into_immutable_string().ok() {
            true => Ok(()),
            false => Err(error(read_only(&name))),
        }
    });
    engine.register_fn("contains", |map: TextMap, name: ImmutableString| map.has(&name));
    engine.register_fn("get", |map: TextMap, name: ImmutableString| map.get(&name));
    engine.register_fn("len", |map: TextMap| i64::try_from(map.0.len()).unwrap_or(i64::MAX));
    engine.register_fn("is_empty", |map: TextMap| map.0.is_empty());
    engine.register_fn("keys", |map: TextMap| -> Array {
        map.iter().map(|(name, _)| name.clone().into()).collect()
    });
    engine.register_fn("values", |map: TextMap| -> Array {
        map.iter().map(|(_, value)| value.clone().into()).collect()
    });
    engine.register_fn("to_string", |map: TextMap| map.to_string());
    engine.register_fn("to_debug", |map: TextMap| map.to_string());
}
