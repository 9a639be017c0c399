//! Reads back what the API shows: events and resources, as its clients and the console have them. What lies ahead is read
//! back where it is put in words, in [`mod@crate::occurrence`].

use perennial_domain::bundle::Resource;
use perennial_domain::event::Event;
use serde_json::Value;

use crate::Problems;
use crate::diagnostics::Diagnostics;
use crate::diagnostics::Path;
use crate::event;
use crate::fields::Fields;
use crate::json_cursor::JsonCursor;
use crate::json_tree;
use crate::resource::read_stored_package;
use crate::stored_fields::StoredFields;

/// An event of the API, with the account that it is about, if any: a line of events with an id.
///
/// # Errors
///
/// Every problem of the view, such as a type that only a newer host knows.
pub fn event(view: &Value) -> Result<(Option<String>, Event), Problems> {
    let mut fields = view.as_object().cloned().unwrap_or_default();
    fields.remove("id");
    event::read(&Value::Object(fields).to_string())
}

/// A resource of the API: its plain fields and its package, without attributes, tags and what it is attached to.
///
/// # Errors
///
/// Every problem of the view, such as a stage that only a newer host knows.
pub fn resource(view: &Value) -> Result<Resource, Problems> {
    let problems = Diagnostics::default();
    let text = view.to_string();
    let root = json_tree::parse(&text, &problems)?;
    let root = JsonCursor { node: &root, path: Path::Root, diagnostics: &problems };
    let resource = root.any_object().and_then(|fields| read_resource(&fields));
    problems.finish(resource)
}

fn read_resource(fields: &Fields<'_, '_>) -> Option<Resource> {
    let package = fields.optional("package", |cursor| read_stored_package(&cursor.any_object()?)).option()?;
    Some(Resource { package, ..Resource::read(&mut StoredFields { fields })? })
}

#[cfg(test)]
mod tests {
    use perennial_domain::bundle::Stage;
    use serde_json::json;

    use super::*;
    use crate::event_view::EventView;

    #[test]
    fn an_event_is_read_back_as_it_was_shown() {
        let what = perennial_domain::event::EventKind::StageChanged { from: Stage::Active, to: Stage::Grace };
        let at = "2026-02-28T15:59:59Z".parse().unwrap();
        let shown = Event { at, resource: Some("ecs-1".to_owned()), what };
        let view = EventView { id: Some("7".to_owned()), ..EventView::new(&shown, Some("acme")) };
        let (account, read) = event(&serde_json::to_value(view).unwrap()).unwrap();
        assert_eq!((account.as_deref(), read), (Some("acme"), shown));
        assert!(event(&json!({ "id": "7", "type": "of_tomorrow" })).is_err());
    }

    #[test]
    fn a_resource_is_read_back_with_its_package() {
        let resource_with = |package: Value| {
            let mut fields = serde_json::Map::new();
            let plain = Resource {
                id: "pkg".to_owned(),
                kind: "package".to_owned(),
                started_at: "2026-01-01T00:00:00Z".parse().unwrap(),
                ..Resource::default()
            };
            plain.visit_fields(|name, value| {
                let value = serde_json::to_value(crate::JsonValue::from(value)).unwrap();
                fields.insert(name.to_owned(), value);
            });
            fields.insert("account".to_owned(), json!("acme"));
            fields.insert("package".to_owned(), package);
            resource(&Value::Object(fields))
        };
        let package = json!({ "resource_type": "cci", "quota": "100.00", "used": "25.00", "left": "75.00", "unit": "GB",
            "bought_at": "2026-01-01T00:00:00Z" });
        let read = resource_with(package).unwrap();
        assert_eq!((read.id.as_str(), read.package.unwrap().left().to_string()), ("pkg", "75.00".to_owned()));
        assert!(resource_with(Value::Null).unwrap().package.is_none());
        assert!(resource_with(json!({ "quota": "many" })).is_err());
    }
}
