//! Tells global addresses from private and special ones, so that a request cannot reach internal services.
//!
//! Sources: the IANA registries of special-purpose IPv4 and IPv6 addresses (RFC 6890 and its updates) and of global
//! unicast IPv6 addresses. An address that is not known to be global is refused.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

/// IPv4 networks that are refused: the first address and the length of the prefix, in bits.
const NOT_GLOBAL_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10), // shared by a carrier's customers; a cloud's metadata at 100.100.100.200
    (Ipv4Addr::new(127, 0, 0, 0), 8),   // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's own service for its machines
    (Ipv4Addr::new(169, 254, 0, 0), 16), // link-local; clouds' metadata at 169.254.169.254
    (Ipv4Addr::new(172, 16, 0, 0), 12), // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),  // protocol assignments; a cloud's metadata at 192.0.0.192
    (Ipv4Addr::new(192, 0, 2, 0), 24),  // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24), // AS112
    (Ipv4Addr::new(192, 52, 193, 0), 24), // automatic multicast tunnelling
    (Ipv4Addr::new(192, 88, 99, 0), 24), // relays from IPv6
    (Ipv4Addr::new(192, 168, 0, 0), 16), // private
    (Ipv4Addr::new(198, 18, 0, 0), 15), // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24), // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3),   // multicast, reserved, broadcast
];

/// The IPv6 network of global unicast addresses.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// The exceptions within [`GLOBAL_V6`].
const NOT_GLOBAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: any IPv4 address may be inside
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether an address is a global unicast address. IPv6 addresses that embed an IPv4 address are not.
pub(crate) fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_GLOBAL_V4.iter().any(|(first, bits)| {
            let shift = 32 - bits;
            address.to_bits() >> shift == first.to_bits() >> shift
        }),
        IpAddr::V6(address) => {
            let is_in = |(first, bits): &(Ipv6Addr, u32)| {
                let shift = 128 - bits;
                address.to_bits() >> shift == first.to_bits() >> shift
            };
            is_in(&GLOBAL_V6) && !NOT_GLOBAL_V6.iter().any(is_in)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first and last address of each refused network, important ones within, and their global neighbours.
    #[test]
    fn private_and_special_addresses_are_not_global() {
        let refused = "
            0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1
            127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255
            192.0.0.0 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255
            198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
            :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1
            1fff:: 2001:: 2001:0:53aa:64c:0:1:80ff:fefe 2001:2::1 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::1
            2002:7f00:1::1 2002:808:808::1 3fff::1 3fff:fff:: 4000:: 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";
        let accepted = "
            1.0.0.0 1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15
            169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0
            198.17.255.255 198.20.0.0 223.255.255.255
            2000::1 2001:200::1 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700::1111 3ffe::1 3fff:1000::1";
        for (texts, expected) in [(refused, false), (accepted, true)] {
            for text in texts.split_whitespace() {
                assert_eq!(is_global(text.parse().unwrap()), expected, "{text}");
            }
        }
    }
}
