package io.javisor.networking.vswitch;

import io.javisor.networking.frame.Frame;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A station that keeps what it is given. */
public final class Recorder implements Station {
    /** What it was given, tags in front: {@code "10:hello"}. */
    public final List<Frame> frames = new ArrayList<>();

    private final boolean offloads;

    /** A station without offloads. */
    public Recorder() {
        this(false);
    }

    /** A station. */
    public Recorder(boolean offloads) {
        this.offloads = offloads;
    }

    @Override
    public synchronized void receive(Frame frame) {
        Frame copy = new Frame();
        copy.copyOf(frame);
        frames.add(copy);
    }

    @Override
    public boolean takesLarge(int etherType) {
        return offloads;
    }

    @Override
    public boolean takesOpenChecksums() {
        return offloads;
    }

    /** The texts of plain frames so far, each with its VLAN in front if it has a tag; forgets them. */
    public synchronized List<String> texts() {
        List<String> all = frames.stream()
                .map(f -> (f.vlan() == 0 ? "" : f.vlan() + ":")
                        + new String(f.bytes(), 14, f.length() - 14, StandardCharsets.UTF_8).trim())
                .toList();
        frames.clear();
        return all;
    }
}
