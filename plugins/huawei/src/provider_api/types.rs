//! The cloud service and the type of resource of each kind, and the attributes that this API shows.
//!
//! Codes are those of "Querying Cloud Service Types" and "Querying Resource Types" (qct_00001, qct_00002) as far as
//! they could be read.

use plugin_sdk::provider_api::ResourceView;
use plugin_sdk::settings::get;

/// A kind, with its cloud service and its type of resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Type {
    /// The kind of the manifest.
    pub kind: &'static str,
    /// The code of the cloud service.
    pub service: &'static str,
    /// The name of the service type.
    pub service_name: &'static str,
    /// The abbreviation of the service type.
    pub abbreviation: &'static str,
    /// The code of the type of resource.
    pub resource: &'static str,
    /// The name of the resource type.
    pub resource_name: &'static str,
}

/// The cloud service of several kinds: code, name, abbreviation.
type Service = (&'static str, &'static str, &'static str);

const ECS: Service = ("hws.service.type.ec2", "Elastic Cloud Server", "ECS");
const BMS: Service = ("hws.service.type.baremetal", "Bare Metal Server", "BMS");
const EVS: Service = ("hws.service.type.ebs", "Elastic Volume Service", "EVS");
const VPC: Service = ("hws.service.type.vpc", "Virtual Private Cloud", "VPC");
const ELB: Service = ("hws.service.type.elb", "Elastic Load Balance", "ELB");
const NAT: Service = ("hws.service.type.natgateway", "NAT Gateway", "NAT");
const VPN: Service = ("hws.service.type.vpn", "Virtual Private Network", "VPN");
const DIRECT_CONNECT: Service = ("hws.service.type.dcaas", "Direct Connect", "DC");
const RDS: Service = ("hws.service.type.rds", "Relational Database Service", "RDS");
const DDS: Service = ("hws.service.type.dds", "Document Database Service", "DDS");
const DCS: Service = ("hws.service.type.dcs", "Distributed Cache Service", "DCS");
const DMS: Service = ("hws.service.type.dms", "Distributed Message Service", "DMS");
const CCE: Service = ("hws.service.type.cce", "Cloud Container Engine", "CCE");
const SFS: Service = ("hws.service.type.sfsturbo", "Scalable File Service Turbo", "SFS Turbo");
const CODEARTS: Service = ("hws.service.type.devcloud", "CodeArts", "CodeArts");

/// Every kind, in the order of the manifest.
pub const TYPES: [Type; 21] = [
    of("ecs", ECS, "hws.resource.type.vm", "Cloud Host"),
    of("bms", BMS, "hws.resource.type.pm", "Physical Machine"),
    of("evs", EVS, "hws.resource.type.volume", "Disk"),
    of("vpc", VPC, "hws.resource.type.vpc", "Virtual Private Cloud"),
    of("eip", VPC, "hws.resource.type.ip", "Elastic IP"),
    of("bandwidth", VPC, "hws.resource.type.bandwidth", "Bandwidth"),
    of("shared-bandwidth", VPC, "hws.resource.type.sharedbandwidth", "Shared Bandwidth"),
    of("bandwidth-add-on", VPC, "hws.resource.type.bandwidthaddon", "Bandwidth Add-on Package"),
    of("elb", ELB, "hws.resource.type.elbv3", "Load Balancer"),
    of("nat", NAT, "hws.resource.type.natgateway", "NAT Gateway"),
    of("vpn", VPN, "hws.resource.type.vpn.vgw", "VPN Gateway"),
    of("direct-connect", DIRECT_CONNECT, "hws.resource.type.dc.port", "Direct Connect Port"),
    of("rds", RDS, "hws.resource.type.rds.vm", "Relational Database Instance"),
    of("dds", DDS, "hws.resource.type.dds.vm", "Document Database Instance"),
    of("dcs", DCS, "hws.resource.type.dcs3", "Distributed Cache Instance"),
    of("dms", DMS, "hws.resource.type.dms", "Distributed Message Instance"),
    of("cce", CCE, "hws.resource.type.cce.cluster", "Cluster"),
    of("sfs-turbo", SFS, "hws.resource.type.sfsturbo", "File System"),
    of("codearts-package", CODEARTS, "hws.resource.type.codearts.package", "CodeArts Package"),
    of("codearts-extension", CODEARTS, "hws.resource.type.codearts.extension", "CodeArts Extension"),
    of("package", CCE, "hws.resource.type.package", "Resource Package"),
];

const fn of(kind: &'static str, of: Service, resource: &'static str, resource_name: &'static str) -> Type {
    let (service, service_name, abbreviation) = of;
    Type { kind, service, service_name, abbreviation, resource, resource_name }
}

/// The type of a kind; `None` for a kind that is not in the manifest.
pub fn named(kind: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.kind == kind)
}

/// The kinds of a cloud service; empty for an unknown service, and for a service without kinds of the manifest.
pub(crate) fn of_service(code: &str) -> Vec<String> {
    TYPES.iter().filter(|known| known.service == code).map(|known| known.kind.to_owned()).collect()
}

/// The attributes that this API shows and no rule reads; the operator sets them on import. Each with the field that
/// shows it.
pub const ATTRIBUTES: [(&str, &str); 9] = [
    ("name", "resource_name; else the tag `Name`, else the id"),
    ("spec", "resource_spec_code, such as `s6.large.2.linux`"),
    ("spec_desc", "product_spec_desc"),
    ("spec_size", "spec_size, a decimal number"),
    ("spec_size_measure_id", "spec_size_measure_id: 15 is Mbit/s, 17 is GB"),
    ("product_id", "product_id"),
    ("project_id", "project_id; project_code on the old API"),
    ("enterprise_project_id", "enterprise_project.id"),
    ("enterprise_project_name", "enterprise_project.name"),
];

/// The value of an attribute of a resource.
pub fn attribute<'a>(subject: &'a ResourceView, name: &str) -> Option<&'a str> {
    get(&subject.attributes, name)
}

/// The name of a resource.
pub fn name(subject: &ResourceView) -> &str {
    attribute(subject, "name").or_else(|| get(&subject.tags, "Name")).unwrap_or(&subject.id)
}
