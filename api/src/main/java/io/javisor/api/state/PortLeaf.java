package io.javisor.api.state;

import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.vswitch.AccessRule;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.networking.vswitch.VlanMode;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a port of a switch lets pass, in a saved machine: all but the station's address, which is the adapter's. */
final class PortLeaf {
    /** Of anything that is listed. */
    static final int MOST = 65_536;

    private static final MacAddress FILLED_IN = new MacAddress(0);

    private PortLeaf() {}

    static StateWriter save(PortSettings settings) {
        var out = new StateWriter();
        switch (settings) {
            case PortSettings(
                    var vlan,
                    boolean isolated,
                    var _,
                    boolean macSpoofing,
                    boolean dhcpGuard,
                    boolean routerGuard,
                    var addresses,
                    var accessList,
                    var mirror,
                    int stormLimit,
                    long maximum,
                    int weight,
                    int mostMacs) -> {
                switch (vlan) {
                    case VlanMode.Access(int id) -> out.put("vlan", id);
                    case VlanMode.Trunk(var allowed, int untagged) -> {
                        out.put("vlan", untagged);
                        out.put("trunk", allowed.size());
                        int i = 0;
                        for (int id : new TreeSet<>(allowed)) {
                            out.put("trunk" + i++, id);
                        }
                    }
                }
                out.put("isolated", isolated);
                out.put("macSpoofing", macSpoofing);
                out.put("dhcpGuard", dhcpGuard);
                out.put("routerGuard", routerGuard);
                prefixes(out, "address", addresses);
                out.put("rule", accessList.size());
                for (int i = 0; i < accessList.size(); i++) {
                    out.put("rule" + i, rule(accessList.get(i)));
                }
                out.put("mirror", mirror.name());
                out.put("stormLimit", stormLimit);
                out.put("maximum", maximum);
                out.put("weight", weight);
                out.put("mostMacs", mostMacs);
            }
        }
        return out;
    }

    private static StateWriter rule(AccessRule rule) {
        var out = new StateWriter();
        out.put("direction", rule.direction().name());
        out.put("action", rule.action().name());
        MacAddress mac = rule.remoteMac();
        if (mac != null) {
            out.put("remoteMac", mac.value());
        }
        IpPrefix remote = rule.remote();
        if (remote != null) {
            out.put("remote", remote.toString());
        }
        out.put("protocol", rule.protocol());
        out.put("localPort", rule.localPort());
        out.put("remotePort", rule.remotePort());
        return out;
    }

    /**
     * Reads one.
     *
     * @throws IllegalArgumentException if it is none
     */
    static PortSettings read(StateReader in) {
        var rules = new ArrayList<AccessRule>();
        for (int i = 0; i < in.getInt("rule", 0, MOST); i++) {
            rules.add(readRule(in.getInner("rule" + i)));
        }
        return new PortSettings(
                vlan(in),
                in.getBoolean("isolated"),
                FILLED_IN,
                in.getBoolean("macSpoofing"),
                in.getBoolean("dhcpGuard"),
                in.getBoolean("routerGuard"),
                readPrefixes(in, "address"),
                rules,
                PortSettings.Mirror.valueOf(in.getString("mirror")),
                in.getInt("stormLimit", 0, Integer.MAX_VALUE),
                in.getLong("maximum"),
                in.getInt("weight", 0, 100),
                in.getInt("mostMacs", 1, Integer.MAX_VALUE));
    }

    private static VlanMode vlan(StateReader in) {
        int id = in.getInt("vlan", 0, VlanMode.GREATEST);
        if (!in.has("trunk")) {
            return new VlanMode.Access(id);
        }
        Set<Integer> allowed = new TreeSet<>();
        for (int i = 0; i < in.getInt("trunk", 0, VlanMode.GREATEST); i++) {
            allowed.add(in.getInt("trunk" + i, 0, VlanMode.GREATEST));
        }
        return new VlanMode.Trunk(allowed, id);
    }

    private static AccessRule readRule(StateReader in) {
        @Nullable MacAddress mac = in.has("remoteMac") ? new MacAddress(in.getLong("remoteMac")) : null;
        @Nullable IpPrefix remote = in.has("remote") ? IpPrefix.parse(in.getString("remote")) : null;
        return new AccessRule(
                AccessRule.Direction.valueOf(in.getString("direction")),
                AccessRule.Action.valueOf(in.getString("action")),
                mac,
                remote,
                in.getInt("protocol", 0, 255),
                in.getInt("localPort", 0, 65_535),
                in.getInt("remotePort", 0, 65_535));
    }

    static void prefixes(StateWriter out, String name, List<IpPrefix> prefixes) {
        out.put(name, prefixes.size());
        for (int i = 0; i < prefixes.size(); i++) {
            out.put(name + i, prefixes.get(i).toString());
        }
    }

    static List<IpPrefix> readPrefixes(StateReader in, String name) {
        var all = new ArrayList<IpPrefix>();
        for (int i = 0; i < in.getInt(name, 0, MOST); i++) {
            all.add(IpPrefix.parse(in.getString(name + i)));
        }
        return all;
    }
}
