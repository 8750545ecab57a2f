package io.javisor.examples;

import io.javisor.api.MemorySize;
import io.javisor.api.NetworkSpec;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.uplink.HostUplink;
import io.javisor.networking.uplink.Macvtap;
import io.javisor.networking.user.EgressPolicy;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.IpPrefix;
import io.javisor.networking.vswitch.VirtualSwitch;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What {@code --net} is given.
 *
 * @param text as it was given
 * @param kind {@code user}, {@code tap}, {@code macvtap}, {@code packet}, {@code switch} or {@code none}
 * @param name of the interface or switch
 * @param options each with its values, in their order
 */
record NetArgument(String text, String kind, String name, Map<String, List<String>> options) {
    static final String SYNTAX = "user[,forward=HOSTPORT:GUESTPORT][,egress=any|deny|allow:CIDR[+CIDR...]][,host]"
            + "[,dns=ADDRESS[:PORT]]|tap=NAME[,queues=N]|macvtap=NAME[,link=INTERFACE][,mode=MODE][,queues=N]|packet=INTERFACE"
            + "|switch=NAME[,vlan=N][,min=WEIGHT][,max=BITS]|none[,mac=MAC][,mtu=N]";

    private static final Set<String> COMMON = Set.of("mac", "mtu");
    private static final Set<String> OF_USER = Set.of("forward", "egress", "host", "dns");
    private static final Set<String> OF_TAP = Set.of("queues");
    private static final Set<String> OF_MACVTAP = Set.of("link", "mode", "queues");
    private static final Set<String> OF_SWITCH = Set.of("vlan", "min", "max", "weight");
    private static final int DNS = 53;

    static NetArgument parse(String text) {
        String[] parts = text.split(",", -1);
        int equals = parts[0].indexOf('=');
        String kind = equals < 0 ? parts[0] : parts[0].substring(0, equals);
        String name = equals < 0 ? "" : parts[0].substring(equals + 1);
        Set<String> own = switch (kind) {
            case "user" -> OF_USER;
            case "switch" -> OF_SWITCH;
            case "tap" -> OF_TAP;
            case "macvtap" -> OF_MACVTAP;
            case "packet", "none" -> Set.of();
            default -> throw new IllegalArgumentException("--net " + text + ": write --net " + SYNTAX);
        };
        boolean named = !kind.equals("user") && !kind.equals("none");
        if (named == name.isEmpty()) {
            throw new IllegalArgumentException(
                    "--net " + text + ": " + kind + (named ? " needs" : " has no") + " name");
        }
        var options = new LinkedHashMap<String, List<String>>();
        for (String part : Arrays.asList(parts).subList(1, parts.length)) {
            int at = part.indexOf('=');
            String option = at < 0 ? part : part.substring(0, at);
            if (!own.contains(option) && !COMMON.contains(option)) {
                throw new IllegalArgumentException("--net " + text + ": no option \"" + option + "\" of " + kind);
            }
            if (option.equals("host") != (at < 0)) {
                throw new IllegalArgumentException(
                        "--net " + text + ": " + option + (at < 0 ? " needs a value" : " takes no value"));
            }
            options.computeIfAbsent(option, o -> new ArrayList<>()).add(at < 0 ? "" : part.substring(at + 1));
        }
        var argument = new NetArgument(text, kind, name, options);
        argument.spec(VirtualSwitch::new); // says what is wrong
        return argument;
    }

    /** The adapter; switches are found or made by their names. */
    NetworkSpec spec(Function<String, VirtualSwitch> switches) {
        try {
            NetworkSpec spec = switch (kind) {
                case "user" -> NetworkSpec.user(user());
                case "tap" -> NetworkSpec.tap(name, queues());
                case "macvtap" -> NetworkSpec.macvtap(macvtap(), queues());
                case "packet" -> NetworkSpec.packet(name);
                case "switch" -> onSwitch(switches.apply(name));
                default -> NetworkSpec.unplugged();
            };
            for (String mac : values("mac")) {
                spec = spec.mac(MacAddress.parse(mac));
            }
            for (String mtu : values("mtu")) {
                spec = spec.mtu(number("mtu", mtu, 1280, 9000));
            }
            return spec;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--net " + text + ": " + e.getMessage(), e);
        }
    }

    private List<String> values(String option) {
        return options.getOrDefault(option, List.of());
    }

    private int queues() {
        return last("queues")
                .map(n -> number("queues", n, 1, HostUplink.MOST_QUEUES))
                .orElse(1);
    }

    private Macvtap macvtap() {
        Optional<String> lower = last("link");
        Optional<String> mode = last("mode");
        if (lower.isEmpty() && mode.isPresent()) {
            throw new IllegalArgumentException("mode is of an interface that is made, which needs link");
        }
        Macvtap made = lower.map(l -> Macvtap.on(l, name)).orElse(Macvtap.existing(name));
        return mode.map(m -> made.mode(macvtapMode(m))).orElse(made);
    }

    private static Macvtap.Mode macvtapMode(String text) {
        return Arrays.stream(Macvtap.Mode.values())
                .filter(mode -> mode.name().toLowerCase(Locale.ROOT).equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "mode=" + text + "; bridge, private, vepa and passthru are known"));
    }

    private Optional<String> last(String option) {
        List<String> all = values(option);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
    }

    private NetworkSpec onSwitch(VirtualSwitch on) {
        NetworkSpec spec = NetworkSpec.on(on);
        for (String vlan : values("vlan")) {
            int id = number("vlan", vlan, 0, 4094);
            spec = spec.port(p -> p.vlan(id));
        }
        for (String max : values("max")) {
            long bits = MemorySize.parse(max);
            spec = spec.port(p -> p.bandwidth(bits, p.weight()));
        }
        for (String option : List.of("weight", "min")) {
            for (String weight : values(option)) {
                int share = number(option, weight, 0, 100);
                spec = spec.port(p -> p.bandwidth(p.maximum(), share));
            }
        }
        return spec;
    }

    private UserNetworkSpec user() {
        UserNetworkSpec user = UserNetworkSpec.DEFAULT;
        for (String forward : values("forward")) {
            String[] ports = forward.split(":", -1);
            if (ports.length != 2) {
                throw new IllegalArgumentException("forward=" + forward + "; write forward=HOSTPORT:GUESTPORT");
            }
            user = user.forward(number("forward", ports[0], 0, 65_535), number("forward", ports[1], 1, 65_535));
        }
        for (String egress : values("egress")) {
            user = user.egress(egress(egress));
        }
        if (options.containsKey("host")) {
            user = user.withHostLoopback();
        }
        List<String> servers = values("dns");
        return servers.isEmpty()
                ? user
                : user.nameServers(servers.stream().map(NetArgument::nameServer).toArray(InetSocketAddress[]::new));
    }

    private static InetSocketAddress nameServer(String text) {
        int colon = text.indexOf(':');
        String address = colon < 0 ? text : text.substring(0, colon);
        IpPrefix.parse(address); // a literal, so that nothing is looked up
        int port = colon < 0 ? DNS : number("dns", text.substring(colon + 1), 1, 65_535);
        return new InetSocketAddress(InetAddress.ofLiteral(address), port);
    }

    private static EgressPolicy egress(String text) {
        if (text.equals("any")) {
            return EgressPolicy.ANY;
        }
        if (text.equals("deny")) {
            return EgressPolicy.NONE;
        }
        if (!text.startsWith("allow:")) {
            throw new IllegalArgumentException("egress=" + text + "; any, deny and allow:CIDR are known");
        }
        return EgressPolicy.allow(
                Arrays.stream(text.substring("allow:".length()).split("\\+", -1))
                        .map(IpPrefix::parse)
                        .toArray(IpPrefix[]::new));
    }

    private static int number(String option, String value, int least, int most) {
        if (!value.matches("[0-9]{1,9}") || Integer.parseInt(value) < least || Integer.parseInt(value) > most) {
            throw new IllegalArgumentException(option + ": " + value + " is not in " + least + ".." + most);
        }
        return Integer.parseInt(value);
    }
}
