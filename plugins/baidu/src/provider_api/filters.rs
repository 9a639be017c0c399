//! The filters of each list, read once from the query.
//!
//! Documents: "Query the instance list" (BCC: cloud.baidu.com/doc/BCC/s/Xjwvyodmx), the disk list (CDS), "Query EIP
//! List" (EIP: Pjwvz30qy). A resource has to pass every filter; a filter with several values accepts any of them.

use plugin_sdk::Stage;
use plugin_sdk::Timestamp;
use plugin_sdk::settings::get;

use crate::provider_api::lookup::check_id;
use crate::provider_api::parameters::Parameters;
use crate::provider_api::problem::Problem;
use crate::provider_api::shapes;
use crate::provider_api::views::VisibleResource;

/// The most values that one filter has.
pub(crate) const VALUES_MAX: usize = 100;

/// The filters of instances that compare an attribute, each with its attribute.
const INSTANCE_ATTRIBUTES: [(&str, &str); 9] = [
    ("internalIp", "internalIp"),
    ("privateIps", "internalIp"),
    ("dedicatedHostId", "dedicatedHostId"),
    ("zoneName", "zoneName"),
    ("ehcClusterId", "ehcClusterId"),
    ("deploySetIds", "deploysetId"),
    ("securityGroupIds", "securityGroupId"),
    ("vpcId", "vpcId"),
    ("ipv6Addresses", "ipv6"),
];

/// The filters of disks that compare an attribute, each with its attribute.
const DISK_ATTRIBUTES: [(&str, &str); 2] = [("zoneName", "zoneName"), ("clusterId", "clusterId")];

/// The condition of a filter.
enum Test {
    /// The attribute has one of these values.
    Attribute(&'static str, Vec<String>),
    Status(Vec<String>),
    PaymentTiming(Vec<String>),
    /// It has an auto-renew rule, or has none.
    Renews(bool),
    Name(Vec<String>),
    /// The name contains this text.
    NamePart(String),
    /// It has one of these tags: a key, or a key with a value.
    Tags(Vec<(String, Option<String>)>),
    AttachedTo(String),
    /// It is attached to anything of this type.
    BoundTo(String),
    Address(String),
    AddressStatus(String),
    IsVersion6(bool),
    /// It has expired, and is kept: what the recycle bin holds.
    IsRecycled,
    /// It expired at this instant or later.
    ExpiredFrom(Timestamp),
    /// It expired at this instant or earlier.
    ExpiredUntil(Timestamp),
}

/// The filters of one query.
pub struct Filters(Vec<Test>);

impl Filters {
    /// No filter at all.
    pub(crate) fn none() -> Filters {
        Filters(Vec::new())
    }

    /// The filters of the recycle bin, by the name, the billing mode, and the first and the last instant of the time in
    /// which it was put there.
    pub(crate) fn of_recycle_bin(
        name: Option<String>,
        payment_timing: Option<String>,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Filters {
        let mut tests = vec![Test::IsRecycled];
        tests.extend(name.map(|name| Test::Name(vec![name])));
        tests.extend(payment_timing.map(|timing| Test::PaymentTiming(vec![timing])));
        tests.extend(from.map(Test::ExpiredFrom));
        tests.extend(until.map(Test::ExpiredUntil));
        Filters(tests)
    }

    /// The filters of the instance list.
    ///
    /// # Errors
    ///
    /// `BadRequest` for a filter that cannot be read, or for two filters that exclude each other.
    pub(crate) fn of_instances(parameters: &Parameters) -> Result<Filters, Problem> {
        let mut tests = attributes(parameters, &INSTANCE_ATTRIBUTES)?;
        if parameters.filled("privateIps")?.is_some() && parameters.filled("vpcId")?.is_none() {
            return Err(Problem::bad_request("`privateIps` comes with a `vpcId`"));
        }
        tests.extend(values(parameters, "status")?.map(Test::Status));
        tests.extend(values(parameters, "paymentTiming")?.map(Test::PaymentTiming));
        tests.extend(values(parameters, "instanceNames")?.map(Test::Name));
        if let Some(part) = parameters.filled("fuzzyInstanceName")? {
            if parameters.filled("instanceNames")?.is_some() {
                return Err(Problem::bad_request(
                    "`instanceNames` and `fuzzyInstanceName` exclude each other",
                ));
            }
            tests.push(Test::NamePart(part.to_owned()));
        }
        if let Some(renews) = parameters.filled("autoRenew")? {
            tests.push(Test::Renews(flag("autoRenew", renews)?));
        }
        tests.extend(values(parameters, "tags")?.map(|tags| {
            let tag = |tag: String| match tag.split_once(':') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (tag, None),
            };
            Test::Tags(tags.into_iter().map(tag).collect())
        }));
        Ok(Filters(tests))
    }

    /// The filters of the disk list.
    ///
    /// # Errors
    ///
    /// As [`Filters::of_instances`].
    pub(crate) fn of_disks(parameters: &Parameters) -> Result<Filters, Problem> {
        let mut tests = attributes(parameters, &DISK_ATTRIBUTES)?;
        if let Some(instance) = parameters.filled("instanceId")? {
            tests.push(Test::AttachedTo(instance.to_owned()));
        }
        Ok(Filters(tests))
    }

    /// The filters of the address list. It shows IPv6 addresses only on request.
    ///
    /// # Errors
    ///
    /// As [`Filters::of_instances`].
    pub(crate) fn of_addresses(parameters: &Parameters) -> Result<Filters, Problem> {
        let mut tests = vec![Test::IsVersion6(match parameters.filled("ipVersion")? {
            None | Some("ipv4") => false,
            Some("ipv6") => true,
            Some(_) => return Err(Problem::bad_request("`ipVersion` is `ipv4` or `ipv6`")),
        })];
        if let Some(address) = parameters.filled("eip")? {
            tests.push(Test::Address(address.to_owned()));
        }
        let bound_to = parameters.filled("instanceType")?;
        tests.extend(bound_to.map(|kind| Test::BoundTo(kind.to_owned())));
        if let Some(instance) = parameters.filled("instanceId")? {
            if bound_to.is_none() {
                return Err(Problem::bad_request("`instanceId` comes with an `instanceType`"));
            }
            tests.push(Test::AttachedTo(instance.to_owned()));
        }
        tests.extend(values(parameters, "name")?.map(Test::Name));
        if let Some(status) = parameters.filled("status")? {
            tests.push(Test::AddressStatus(status.to_owned()));
        }
        Ok(Filters(tests))
    }

    /// Whether there is no filter, so that every resource passes.
    pub(crate) fn pass_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the resource passes every filter.
    pub fn pass(&self, visible: &VisibleResource) -> bool {
        self.0.iter().all(|test| test.passes(visible))
    }
}

impl Test {
    fn passes(&self, visible: &VisibleResource) -> bool {
        let resource = visible.resource;
        let is_one_of = |values: &[String], value: &str| values.iter().any(|known| known == value);
        match self {
            Test::Attribute(attribute, values) => {
                get(&resource.attributes, attribute).is_some_and(|value| is_one_of(values, value))
            }
            Test::Status(words) => is_one_of(words, visible.instance_status()),
            Test::PaymentTiming(words) => {
                let word = shapes::payment_timing(visible.charging);
                words.iter().any(|known| known.eq_ignore_ascii_case(word))
            }
            Test::Renews(renews) => visible.renews() == *renews,
            Test::Name(names) => is_one_of(names, visible.name()),
            Test::NamePart(part) => visible.name().contains(part),
            Test::Tags(tags) => tags.iter().any(|(key, wanted)| {
                let value = get(&resource.tags, key);
                value.is_some_and(|value| wanted.as_deref().is_none_or(|wanted| wanted == value))
            }),
            Test::AttachedTo(id) => resource.attached_to.as_ref() == Some(id),
            Test::BoundTo(kind) => resource.attached_to.is_some() && kind == shapes::BOUND_TO,
            Test::Address(address) => visible.address() == address,
            Test::AddressStatus(status) => visible.address_status() == status,
            Test::IsRecycled => visible.stage == Stage::Retention,
            Test::ExpiredFrom(from) => visible.expires_at.is_some_and(|at| at >= *from),
            Test::ExpiredUntil(until) => visible.expires_at.is_some_and(|at| at <= *until),
            Test::IsVersion6(is_version_6) => visible.address().contains(':') == *is_version_6,
        }
    }
}

/// The ids that a filter names; `None` when it is absent or empty.
///
/// # Errors
///
/// `BadRequest` when one cannot be an id, or there are too many.
pub fn ids(parameters: &Parameters, name: &str) -> Result<Option<Vec<String>>, Problem> {
    let ids = values(parameters, name)?;
    for id in ids.iter().flatten() {
        check_id(id)?;
    }
    Ok(ids)
}

fn attributes(
    parameters: &Parameters,
    filters: &'static [(&'static str, &'static str)],
) -> Result<Vec<Test>, Problem> {
    let test = |(name, attribute): &(&str, &'static str)| {
        Ok(values(parameters, name)?.map(|values| Test::Attribute(attribute, values)))
    };
    filters.iter().map(test).filter_map(Result::transpose).collect()
}

/// The values of a filter, separated by commas; `None` when it is absent or empty.
fn values(parameters: &Parameters, name: &str) -> Result<Option<Vec<String>>, Problem> {
    let Some(text) = parameters.filled(name)? else { return Ok(None) };
    let values = text.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    if values.len() > VALUES_MAX {
        return Err(Problem::bad_request(format!("`{name}` has more than {VALUES_MAX} values")));
    }
    Ok((!values.is_empty()).then_some(values))
}

/// A flag, as the API or as the SDK writes it: the SDK writes `True`.
fn flag(name: &str, text: &str) -> Result<bool, Problem> {
    match text {
        "true" | "True" => Ok(true),
        "false" | "False" => Ok(false),
        _ => Err(Problem::bad_request(format!("`{name}` is `true` or `false`"))),
    }
}
