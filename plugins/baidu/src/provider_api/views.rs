//! A resource as the API shows it at one instant: instances, disks and addresses as JSON objects.
//!
//! Renewals are asynchronous at Baidu, so their effect becomes visible only after a while. `shapes` has the names of
//! the fields and the words in them.

use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::provider_api::rfc3339;
use plugin_sdk::settings::get;
use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::members::STATUS;
use crate::provider_api::changes::renewal_months;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::shapes;
use crate::provider_api::shapes::Texts;

/// A resource in the state that the API shows: a recent renewal may not be visible yet.
#[derive(Clone, Copy)]
pub struct VisibleResource<'a> {
    /// The resource as it is.
    pub resource: &'a ResourceView,
    /// The stage that is shown.
    pub stage: Stage,
    /// The billing mode that is shown.
    pub charging: Charging,
    /// The expiry that is shown.
    pub expires_at: Option<Timestamp>,
}

impl<'a> VisibleResource<'a> {
    /// The resource as it is shown to this request.
    pub fn of(context: &RequestContext, resource: &'a ResourceView) -> VisibleResource<'a> {
        let visible = match (resource.stage, resource.charging) {
            (Stage::Converted, _) | (_, Charging::Postpaid) => VisibleResource {
                resource,
                stage: resource.stage,
                charging: Charging::Postpaid,
                expires_at: None,
            },
            (_, Charging::Prepaid) => VisibleResource {
                resource,
                stage: resource.stage,
                charging: Charging::Prepaid,
                expires_at: resource.expires_at,
            },
        };
        let delay = context.settings.visible_after_seconds;
        match resource.last_renewal {
            Some(renewed)
                if visible.charging == Charging::Prepaid && context.at < renewed.at.saturating_add(delay) =>
            {
                let had_expired =
                    renewed.previous_expires_at <= renewed.at && resource.stage == Stage::Active;
                let stage = if had_expired { Stage::Retention } else { resource.stage };
                VisibleResource { stage, expires_at: Some(renewed.previous_expires_at), ..visible }
            }
            Some(_) | None => visible,
        }
    }

    /// The `status` of an instance.
    pub(crate) fn instance_status(&self) -> &'static str {
        shapes::instance_status(self.stage, get(&self.resource.attributes, STATUS))
    }

    /// The `status` of an address.
    pub(crate) fn address_status(&self) -> &'static str {
        shapes::address_status(self.stage, self.resource.attached_to.is_some())
    }

    /// Whether there is an auto-renew rule.
    pub fn renews(&self) -> bool {
        self.charging == Charging::Prepaid && self.resource.on_expiry == OnExpiry::Renew
    }

    /// The address of an `eip`.
    pub fn address(&self) -> &'a str {
        get(&self.resource.attributes, shapes::ADDRESS).unwrap_or(&self.resource.id)
    }

    /// The name; the id of a resource without a name.
    pub fn name(&self) -> &'a str {
        get(&self.resource.attributes, shapes::NAME).unwrap_or(&self.resource.id)
    }

    /// Writes the fields that every resource has.
    fn write_common<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("name", self.name())?;
        map.serialize_entry("paymentTiming", shapes::payment_timing(self.charging))?;
        map.serialize_entry("createTime", &rfc3339::write(self.resource.started_at))?;
        map.serialize_entry("expireTime", &self.expires_at.map(rfc3339::write))?;
        map.serialize_entry("tags", &Tags(&self.resource.tags))
    }
}

/// An instance: `InstanceModel`.
pub struct Instance<'a>(pub VisibleResource<'a>);

/// A disk: `VolumeModel`.
pub struct Disk<'a>(pub VisibleResource<'a>);

/// An address: `EipModel`.
pub struct Address<'a>(pub VisibleResource<'a>);

struct Tags<'a>(&'a [(String, String)]);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tag<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

struct Attachment<'a> {
    disk: &'a ResourceView,
    instance: &'a str,
}

impl Serialize for Instance<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Instance(visible) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &visible.resource.id)?;
        map.serialize_entry("status", visible.instance_status())?;
        visible.write_common(&mut map)?;
        map.serialize_entry("autoRenew", &visible.renews())?;
        write_texts(&mut map, visible.resource, shapes::INSTANCE_TEXTS)?;
        write_numbers(&mut map, visible.resource, shapes::INSTANCE_NUMBERS)?;
        map.end()
    }
}

impl Serialize for Disk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Disk(visible) = self;
        let disk = visible.resource;
        let status = get(&disk.attributes, STATUS);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &disk.id)?;
        map.serialize_entry(
            "status",
            shapes::disk_status(visible.stage, disk.attached_to.is_some(), status),
        )?;
        visible.write_common(&mut map)?;
        map.serialize_entry("enableAutoRenew", &visible.renews())?;
        let months = renewal_months(disk).filter(|_| visible.renews()).unwrap_or(0);
        map.serialize_entry("autoRenewTime", &months)?;
        map.serialize_entry("regionId", &disk.region)?;
        map.serialize_entry("isSystemVolume", &false)?;
        let attachments = disk.attached_to.iter().map(|instance| Attachment { disk, instance });
        map.serialize_entry("attachments", &attachments.collect::<Vec<_>>())?;
        write_texts(&mut map, disk, shapes::DISK_TEXTS)?;
        write_numbers(&mut map, disk, shapes::DISK_NUMBERS)?;
        map.end()
    }
}

impl Serialize for Address<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Address(visible) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("eip", visible.address())?;
        map.serialize_entry("eipId", &visible.resource.id)?;
        map.serialize_entry("status", visible.address_status())?;
        visible.write_common(&mut map)?;
        let bound_to = visible.resource.attached_to.as_ref();
        map.serialize_entry("instanceType", &bound_to.map(|_| shapes::BOUND_TO))?;
        map.serialize_entry("instanceId", &bound_to)?;
        map.serialize_entry("region", &visible.resource.region)?;
        write_texts(&mut map, visible.resource, shapes::ADDRESS_TEXTS)?;
        write_numbers(&mut map, visible.resource, shapes::ADDRESS_NUMBERS)?;
        map.end()
    }
}

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Tags(tags) = self;
        serializer.collect_seq(tags.iter().map(|(tag_key, tag_value)| Tag { tag_key, tag_value }))
    }
}

impl Serialize for Attachment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("volumeId", &self.disk.id)?;
        map.serialize_entry("instanceId", self.instance)?;
        write_texts(&mut map, self.disk, shapes::ATTACHMENT_TEXTS)?;
        map.end()
    }
}

fn write_texts<M: SerializeMap>(map: &mut M, resource: &ResourceView, fields: Texts) -> Result<(), M::Error> {
    for (field, default) in fields {
        if let Some(value) = get(&resource.attributes, field).or(*default) {
            map.serialize_entry(field, value)?;
        }
    }
    Ok(())
}

/// Writes attributes as numbers, because every SDK expects numbers; an attribute that is no number is left out.
fn write_numbers<M: SerializeMap>(
    map: &mut M,
    resource: &ResourceView,
    fields: &[&str],
) -> Result<(), M::Error> {
    for field in fields {
        let number = get(&resource.attributes, field).and_then(|value| value.parse::<u32>().ok());
        if let Some(number) = number {
            map.serialize_entry(field, &number)?;
        }
    }
    Ok(())
}
