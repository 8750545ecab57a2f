package io.javisor.api;

import io.javisor.api.management.AdapterUse;
import io.javisor.api.management.DriveUse;
import io.javisor.api.management.MachineMXBean;
import io.javisor.networking.vswitch.PortStatistics;
import io.javisor.storage.disk.DiskStatistics;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.management.ObjectName;

/** A machine as its management bean tells of it. Holds the machine, not its façade, which may become garbage all the same. */
record ManagedMachine(Machine machine) implements MachineMXBean {
    /** What it is to be registered as. */
    static String nameOf(MachineSpec spec) {
        return ManagedBeans.DOMAIN + ":type=Machine,name=" + ObjectName.quote(spec.name());
    }

    @Override
    public String getName() {
        return machine.spec().name();
    }

    @Override
    public String getState() {
        return machine.state().name();
    }

    @Override
    public String getOutcome() {
        return machine.outcome().map(Outcome::toString).orElse("");
    }

    @Override
    public int getVcpus() {
        return machine.spec().vcpus();
    }

    @Override
    public long getMemory() {
        return machine.spec().memory();
    }

    @Override
    public long getResidentBytes() {
        return machine.residentBytes();
    }

    @Override
    public MachineStatistics getStatistics() {
        return machine.statistics();
    }

    @Override
    public List<DriveUse> getDrives() {
        return machine.disks().list().stream().map(ManagedMachine::use).toList();
    }

    @Override
    public List<AdapterUse> getAdapters() {
        return machine.network().adapters().stream().map(ManagedMachine::use).toList();
    }

    private static DriveUse use(Drive drive) {
        DiskStatistics s = drive.statistics();
        return new DriveUse(
                drive.toString(),
                s.reads(),
                s.readBytes(),
                s.readTime().toNanos(),
                s.writes(),
                s.writtenBytes(),
                s.writeTime().toNanos(),
                s.flushes(),
                s.errors(),
                s.longest().toNanos());
    }

    private static AdapterUse use(MachineAdapter adapter) {
        PortStatistics s = adapter.statistics();
        Map<String, Long> dropped = s.dropped().entrySet().stream()
                .collect(Collectors.toMap(e -> e.getKey().name(), Map.Entry::getValue));
        return new AdapterUse(
                adapter.number(),
                s.framesFromStation(),
                s.bytesFromStation(),
                s.framesToStation(),
                s.bytesToStation(),
                dropped);
    }
}
