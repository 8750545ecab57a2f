package io.javisor.networking.user;

/** Types of ICMP messages (RFC 792), and of those of version 6 (RFC 4443, RFC 4861). */
final class Icmp {
    static final int ECHO_REPLY = 0;
    static final int ECHO = 8;

    static final int ECHO6 = 128;
    static final int ECHO_REPLY6 = 129;
    static final int ROUTER_SOLICITATION = 133;
    static final int ROUTER_ADVERTISEMENT = 134;
    static final int NEIGHBOUR_SOLICITATION = 135;
    static final int NEIGHBOUR_ADVERTISEMENT = 136;

    /** Bytes of an echo before what it carries: type, code, checksum, identifier, number. */
    static final int ECHO_HEADER = 8;

    private Icmp() {}
}
