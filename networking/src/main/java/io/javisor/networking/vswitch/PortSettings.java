package io.javisor.networking.vswitch;

import io.javisor.networking.frame.MacAddress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a port of a switch lets pass. Immutable; each method that changes gives a new one.
 *
 * @param vlan in which VLANs it is
 * @param isolated whether it reaches only ports that are not isolated, as uplinks
 * @param mac the station's address, or null if it has none of its own, as an uplink
 * @param macSpoofing whether the station may send from other addresses than its own, and tell others of them by ARP and neighbour discovery
 * @param dhcpGuard whether the station's answers as a DHCP server are dropped
 * @param routerGuard whether the station's router advertisements and redirects are dropped
 * @param addresses IP addresses that the station may send from, by ARP, neighbour discovery or IP; empty for any
 * @param accessList rules, the first first; what none of them decides passes
 * @param mirror whether what passes is copied to those ports that are mirrors
 * @param stormLimit broadcasts, multicasts and frames to unknown addresses that the station may send, in frames a second; 0 for
 *     any number
 * @param maximum bits a second that the station may send; 0 for any number
 * @param weight share of the switch's capacity that the station has in any case, 0 to 100, among those of all ports
 * @param mostMacs addresses that are learnt of it at most
 */
public record PortSettings(
        VlanMode vlan,
        boolean isolated,
        @Nullable MacAddress mac,
        boolean macSpoofing,
        boolean dhcpGuard,
        boolean routerGuard,
        List<IpPrefix> addresses,
        List<AccessRule> accessList,
        Mirror mirror,
        int stormLimit,
        long maximum,
        int weight,
        int mostMacs) {

    /** What a port has to do with mirroring. */
    public enum Mirror {
        /** Nothing. */
        NONE,
        /** What it sends and receives is copied. */
        SOURCE,
        /** It receives the copies, with their VLANs as tags, and nothing else. */
        DESTINATION
    }

    /** Addresses that a guest's port learns unless said otherwise: guests may have bridges and containers. */
    public static final int MACS_OF_A_GUEST = 64;

    /** Addresses that an uplink's port learns unless said otherwise. */
    public static final int MACS_OF_AN_UPLINK = 4096;

    /** Checks the ranges. */
    public PortSettings {
        addresses = List.copyOf(addresses);
        accessList = List.copyOf(accessList);
        if (stormLimit < 0 || maximum < 0 || weight < 0 || weight > 100 || mostMacs < 1) {
            throw new IllegalArgumentException("port with storm limit " + stormLimit + ", maximum " + maximum
                    + " bit/s, weight " + weight + " and " + mostMacs + " addresses");
        }
    }

    /** A guest's port: no VLAN, its own address only, and neither a DHCP server nor a router. */
    public static PortSettings guest(MacAddress mac) {
        return new PortSettings(
                new VlanMode.Access(0),
                false,
                mac,
                false,
                true,
                true,
                List.of(),
                List.of(),
                Mirror.NONE,
                0,
                0,
                1,
                MACS_OF_A_GUEST);
    }

    /** An uplink's port: no VLAN, any address, no guards. */
    public static PortSettings uplink() {
        return new PortSettings(
                new VlanMode.Access(0),
                false,
                null,
                true,
                false,
                false,
                List.of(),
                List.of(),
                Mirror.NONE,
                0,
                0,
                1,
                MACS_OF_AN_UPLINK);
    }

    /** The same in one VLAN, without tags. */
    public PortSettings vlan(int id) {
        return with(new VlanMode.Access(id));
    }

    /** The same as a trunk. */
    public PortSettings trunk(Set<Integer> vlans, int untagged) {
        return with(new VlanMode.Trunk(vlans, untagged));
    }

    private PortSettings with(VlanMode mode) {
        return new PortSettings(
                mode,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                mirror,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same, isolated or not. */
    public PortSettings isolated(boolean on) {
        return new PortSettings(
                vlan,
                on,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                mirror,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same for a station with another address. */
    public PortSettings mac(MacAddress address) {
        return new PortSettings(
                vlan,
                isolated,
                address,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                mirror,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same with other guards. */
    public PortSettings guards(boolean spoofing, boolean dhcp, boolean router) {
        return new PortSettings(
                vlan,
                isolated,
                mac,
                spoofing,
                dhcp,
                router,
                addresses,
                accessList,
                mirror,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same for a station that may send from these IP addresses only. */
    public PortSettings addresses(InetAddress... only) {
        var all = new ArrayList<IpPrefix>();
        for (InetAddress address : only) {
            all.add(IpPrefix.of(address));
        }
        return new PortSettings(
                vlan,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                all,
                accessList,
                mirror,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same with an access list. */
    public PortSettings accessList(AccessRule... rules) {
        return new PortSettings(
                vlan,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                List.of(rules),
                mirror,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same with a part in mirroring. */
    public PortSettings mirror(Mirror part) {
        return new PortSettings(
                vlan,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                part,
                stormLimit,
                maximum,
                weight,
                mostMacs);
    }

    /** The same with a limit of broadcasts, multicasts and unknown addresses, in frames a second; 0 for none. */
    public PortSettings stormLimit(int frames) {
        return new PortSettings(
                vlan,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                mirror,
                frames,
                maximum,
                weight,
                mostMacs);
    }

    /** The same with a maximum of bits a second (0 for none), and a weight from 0 to 100. */
    public PortSettings bandwidth(long most, int share) {
        return new PortSettings(
                vlan,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                mirror,
                stormLimit,
                most,
                share,
                mostMacs);
    }

    /** The same with another number of addresses that are learnt. */
    public PortSettings mostMacs(int count) {
        return new PortSettings(
                vlan,
                isolated,
                mac,
                macSpoofing,
                dhcpGuard,
                routerGuard,
                addresses,
                accessList,
                mirror,
                stormLimit,
                maximum,
                weight,
                count);
    }
}
