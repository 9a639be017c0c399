//! A resource as the API shows it, at one instant: instances, disks and addresses as objects of JSON.
//!
//! What a renewal did shows only after a while, because renewals are asynchronous. Knows what is shown; under which
//! names and words, `shapes` says.

use plugin_sdk::Charging;
use plugin_sdk::OnExpiry;
use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::settings::get;
use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::members::STATUS;
use crate::provider_api::changes::renewal_months;
use crate::provider_api::instants;
use crate::provider_api::request_context::RequestContext;
use crate::provider_api::shapes;
use crate::provider_api::shapes::Texts;

/// A resource, as far as its renewals have become visible.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The resource as it is.
    pub subject: &'a ResourceView,
    /// The stage that is shown.
    pub stage: Stage,
    /// How it is paid, as shown.
    pub charging: Charging,
    expires_at: Option<Timestamp>,
}

impl<'a> Seen<'a> {
    /// The resource as it is shown to this request.
    pub fn of(asked: &RequestContext, subject: &'a ResourceView) -> Seen<'a> {
        let seen = match (subject.stage, subject.charging) {
            (Stage::Converted, _) | (_, Charging::Postpaid) => {
                Seen { subject, stage: subject.stage, charging: Charging::Postpaid, expires_at: None }
            }
            (_, Charging::Prepaid) => Seen {
                subject,
                stage: subject.stage,
                charging: Charging::Prepaid,
                expires_at: subject.expires_at,
            },
        };
        let delay = asked.settings.visible_after_seconds;
        match subject.last_renewal {
            Some(renewed)
                if seen.charging == Charging::Prepaid
                    && asked.context.at < renewed.at.saturating_add(delay) =>
            {
                let had_expired = renewed.previous_expires_at <= renewed.at && subject.stage == Stage::Active;
                let stage = if had_expired { Stage::Retention } else { subject.stage };
                Seen { stage, expires_at: Some(renewed.previous_expires_at), ..seen }
            }
            Some(_) | None => seen,
        }
    }

    /// `status` of an instance.
    pub fn instance_status(&self) -> &'static str {
        shapes::instance_status(self.stage, get(&self.subject.attributes, STATUS))
    }

    /// `status` of an address.
    pub fn address_status(&self) -> &'static str {
        shapes::address_status(self.stage, self.subject.attached_to.is_some())
    }

    /// Whether there is an auto-renew rule.
    pub fn renews(&self) -> bool {
        self.charging == Charging::Prepaid && self.subject.on_expiry == OnExpiry::Renew
    }

    /// The address of an `eip`.
    pub fn address(&self) -> &'a str {
        get(&self.subject.attributes, shapes::ADDRESS).unwrap_or(&self.subject.id)
    }

    /// The name, or the id of what has none.
    pub fn name(&self) -> &'a str {
        get(&self.subject.attributes, shapes::NAME).unwrap_or(&self.subject.id)
    }

    /// What every resource shows.
    fn write_common<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("name", self.name())?;
        map.serialize_entry("paymentTiming", shapes::payment_timing(self.charging))?;
        map.serialize_entry("createTime", &instants::written(self.subject.started_at))?;
        map.serialize_entry("expireTime", &self.expires_at.map(instants::written))?;
        map.serialize_entry("tags", &Tags(&self.subject.tags))
    }
}

/// An instance: `InstanceModel`.
pub struct Instance<'a>(pub Seen<'a>);

/// A disk: `VolumeModel`.
pub struct Disk<'a>(pub Seen<'a>);

/// An address: `EipModel`.
pub struct Address<'a>(pub Seen<'a>);

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
        let Instance(seen) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &seen.subject.id)?;
        map.serialize_entry("status", seen.instance_status())?;
        seen.write_common(&mut map)?;
        map.serialize_entry("autoRenew", &seen.renews())?;
        write_texts(&mut map, seen.subject, shapes::INSTANCE_TEXTS)?;
        write_numbers(&mut map, seen.subject, shapes::INSTANCE_NUMBERS)?;
        map.end()
    }
}

impl Serialize for Disk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Disk(seen) = self;
        let disk = seen.subject;
        let status = get(&disk.attributes, STATUS);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &disk.id)?;
        map.serialize_entry("status", shapes::disk_status(seen.stage, disk.attached_to.is_some(), status))?;
        seen.write_common(&mut map)?;
        map.serialize_entry("enableAutoRenew", &seen.renews())?;
        let months = renewal_months(disk).filter(|_| seen.renews()).unwrap_or(0);
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
        let Address(seen) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("eip", seen.address())?;
        map.serialize_entry("eipId", &seen.subject.id)?;
        map.serialize_entry("status", seen.address_status())?;
        seen.write_common(&mut map)?;
        let bound_to = seen.subject.attached_to.as_ref();
        map.serialize_entry("instanceType", &bound_to.map(|_| shapes::BOUND_TO))?;
        map.serialize_entry("instanceId", &bound_to)?;
        map.serialize_entry("region", &seen.subject.region)?;
        write_texts(&mut map, seen.subject, shapes::ADDRESS_TEXTS)?;
        write_numbers(&mut map, seen.subject, shapes::ADDRESS_NUMBERS)?;
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

fn write_texts<M: SerializeMap>(map: &mut M, subject: &ResourceView, fields: Texts) -> Result<(), M::Error> {
    for (field, default) in fields {
        if let Some(value) = get(&subject.attributes, field).or(*default) {
            map.serialize_entry(field, value)?;
        }
    }
    Ok(())
}

/// Numbers are numbers to every SDK; an attribute that is none is left out.
fn write_numbers<M: SerializeMap>(
    map: &mut M,
    subject: &ResourceView,
    fields: &[&str],
) -> Result<(), M::Error> {
    for field in fields {
        let number = get(&subject.attributes, field).and_then(|value| value.parse::<u32>().ok());
        if let Some(number) = number {
            map.serialize_entry(field, &number)?;
        }
    }
    Ok(())
}
