package io.javisor.storage.scsi;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The target port groups that lead to a unit and what each lets through now. Safe from any thread. */
public final class PortGroups {
    /** A group and its ports. */
    private static final class Group {
        final List<TargetPort> ports = new ArrayList<>();
        volatile AccessState state = AccessState.OPTIMIZED;
    }

    private final SortedMap<Integer, Group> groups = new TreeMap<>();

    /** @param ports all ports that lead to the unit */
    public PortGroups(Collection<TargetPort> ports) {
        for (TargetPort port : ports) {
            groups.computeIfAbsent(port.group(), _ -> new Group()).ports.add(port);
        }
    }

    /** What a group lets through; unknown groups are unavailable. Asked for each command, without a lock. */
    public AccessState state(int group) {
        Group g = groups.get(group);
        return g == null ? AccessState.UNAVAILABLE : g.state;
    }

    /** Changes what a group lets through; the caller tells the nexuses by a unit attention. */
    public void setState(int group, AccessState state) {
        Group g = groups.get(group);
        if (g == null) {
            throw new IllegalArgumentException("no target port group " + group);
        }
        g.state = state;
    }

    /** Parameter data of REPORT TARGET PORT GROUPS (SPC-4 section 6.37), length only header. */
    byte[] report() {
        int length = 4;
        for (Group g : groups.values()) {
            length += 8 + 4 * g.ports.size();
        }
        ByteBuffer out = ByteBuffer.allocate(length);
        out.putInt(length - 4);
        groups.forEach((id, g) -> {
            out.put((byte) g.state.code());
            out.put((byte) 0x8F); // supported: transitioning, unavailable, standby, non-optimized, optimized
            out.putShort(id.shortValue());
            out.put((byte) 0);
            out.put((byte) 0);
            out.put((byte) 0);
            out.put((byte) g.ports.size());
            for (TargetPort port : g.ports) {
                out.putShort((short) 0);
                out.putShort((short) port.relativeId());
            }
        });
        return out.array();
    }
}
