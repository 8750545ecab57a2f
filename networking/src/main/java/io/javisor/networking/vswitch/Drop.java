package io.javisor.networking.vswitch;

/** Why a port dropped a frame. */
public enum Drop {
    /** It could not be read. */
    MALFORMED,
    /** Its VLAN is not one of the port's. */
    VLAN,
    /** Its source is not the station's own address. */
    MAC_SPOOFED,
    /** It speaks for an IP address that is not the station's. */
    ADDRESS_SPOOFED,
    /** A guest's answer as a DHCP server. */
    DHCP_GUARD,
    /** A guest's router advertisement or redirect. */
    ROUTER_GUARD,
    /** The access list denies it. */
    ACCESS_LIST,
    /** Too many broadcasts, multicasts or unknown addresses. */
    STORM,
    /** An extension refuses it. */
    EXTENSION,
    /** It would leave between isolated ports. */
    ISOLATED,
    /** The port is closed, or the station is a mirror. */
    CLOSED
}
