package io.javisor.api.state;

import io.javisor.api.NetworkSpec;
import io.javisor.networking.frame.MacAddress;
import io.javisor.networking.uplink.HostUplink;
import io.javisor.networking.uplink.Macvtap;
import io.javisor.networking.user.EgressPolicy;
import io.javisor.networking.user.PortForward;
import io.javisor.networking.user.UserNetworkSpec;
import io.javisor.networking.vswitch.PortSettings;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Objects;

/** A network adapter's description in a saved machine. An application's switch is known by its name, and is the application's to make again. */
final class NetworkLeaf {
    private NetworkLeaf() {}

    static StateWriter save(NetworkSpec spec) {
        var out = new StateWriter();
        switch (spec) {
            case NetworkSpec(var attachment, var mac, var mtu, var port) -> {
                out.put("mac", Objects.requireNonNull(mac).value());
                out.put("mtu", mtu);
                switch (attachment) {
                    case NetworkSpec.Attachment.User(var user) -> out.put("user", user(user));
                    case NetworkSpec.Attachment.Tap(var name, int queues) -> {
                        out.put("tap", name);
                        out.put("queues", queues);
                    }
                    case NetworkSpec.Attachment.MacvtapDevice(Macvtap(var name, var lower, var mode), int queues) -> {
                        out.put("macvtap", name);
                        if (lower != null) {
                            out.put("lower", lower);
                        }
                        out.put("mode", mode.name());
                        out.put("queues", queues);
                    }
                    case NetworkSpec.Attachment.Packet(var name) -> out.put("packet", name);
                    case NetworkSpec.Attachment.None() -> {}
                    case NetworkSpec.Attachment.Switch(var on) -> onSwitch(out, on.name(), port);
                    case NetworkSpec.Attachment.SavedSwitch(var name) -> onSwitch(out, name, port);
                }
            }
        }
        return out;
    }

    private static void onSwitch(StateWriter out, String name, PortSettings port) {
        out.put("switch", name);
        out.put("port", PortLeaf.save(port));
    }

    private static StateWriter user(UserNetworkSpec spec) {
        var out = new StateWriter();
        switch (spec) {
            case UserNetworkSpec(var forwards, var egress, var hostLoopback, var nameServers) -> {
                out.put("forwards", forwards.size());
                for (int i = 0; i < forwards.size(); i++) {
                    out.put("forwardAddress" + i, forwards.get(i).hostAddress());
                    out.put("forwardPort" + i, forwards.get(i).hostPort());
                    out.put("forwardTo" + i, forwards.get(i).guestPort());
                }
                PortLeaf.prefixes(out, "allowed", egress.allowed());
                PortLeaf.prefixes(out, "denied", egress.denied());
                out.put("hostLoopback", hostLoopback);
                out.put("nameServers", nameServers.size());
                for (int i = 0; i < nameServers.size(); i++) {
                    out.put("nameServer" + i, nameServers.get(i).getAddress().getHostAddress());
                    out.put("nameServerPort" + i, nameServers.get(i).getPort());
                }
            }
        }
        return out;
    }

    static NetworkSpec read(StateReader in) {
        try {
            NetworkSpec spec = NetworkSpec.unplugged();
            if (in.has("user")) {
                spec = NetworkSpec.user(readUser(in.getInner("user")));
            } else if (in.has("tap")) {
                spec = NetworkSpec.tap(in.getString("tap"), queues(in));
            } else if (in.has("macvtap")) {
                spec = NetworkSpec.macvtap(
                        new Macvtap(
                                in.getString("macvtap"),
                                in.has("lower") ? in.getString("lower") : null,
                                Macvtap.Mode.valueOf(in.getString("mode"))),
                        queues(in));
            } else if (in.has("packet")) {
                spec = NetworkSpec.packet(in.getString("packet"));
            } else if (in.has("switch")) {
                PortSettings port = PortLeaf.read(in.getInner("port"));
                spec = NetworkSpec.onSaved(in.getString("switch")).port(p -> port);
            }
            return spec.mac(new MacAddress(in.getLong("mac"))).mtu(in.getInt("mtu", 1280, 9000));
        } catch (IllegalArgumentException e) {
            throw new StateException("spec: network: " + e.getMessage());
        }
    }

    private static int queues(StateReader in) {
        return in.has("queues") ? in.getInt("queues", 1, HostUplink.MOST_QUEUES) : 1;
    }

    private static UserNetworkSpec readUser(StateReader in) {
        var forwards = new ArrayList<PortForward>();
        for (int i = 0; i < in.getInt("forwards", 0, PortLeaf.MOST); i++) {
            forwards.add(new PortForward(
                    in.getString("forwardAddress" + i),
                    in.getInt("forwardPort" + i, 0, 65_535),
                    in.getInt("forwardTo" + i, 1, 65_535)));
        }
        var servers = new ArrayList<InetSocketAddress>();
        for (int i = 0; i < in.getInt("nameServers", 0, PortLeaf.MOST); i++) {
            servers.add(new InetSocketAddress(
                    InetAddress.ofLiteral(in.getString("nameServer" + i)), in.getInt("nameServerPort" + i, 1, 65_535)));
        }
        return new UserNetworkSpec(
                forwards,
                new EgressPolicy(PortLeaf.readPrefixes(in, "allowed"), PortLeaf.readPrefixes(in, "denied")),
                in.getBoolean("hostLoopback"),
                servers);
    }
}
