package io.javisor.api;

import io.javisor.partition.HypervisorException;
import io.javisor.storage.disk.Disk;
import io.javisor.storage.disk.DiskException;
import io.javisor.storage.disk.DiskImage;
import io.javisor.storage.disk.OverlayDisk;
import io.javisor.storage.fibrechannel.SanVolume;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.npiv.NpivSan;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The SANs of a machine's own, made of files or reached by NPIV, from its start to its stop. Guarded by {@link MachineFibreChannel}. */
final class DescribedSans {
    private static final System.Logger LOG = System.getLogger(DescribedSans.class.getName());

    private final Map<String, SoftwareSan> sans = new TreeMap<>();
    private final Map<String, NpivSan> physical = new TreeMap<>();

    @Nullable
    SoftwareSan find(String name) {
        return sans.get(name);
    }

    /** The fabric of a host's adapter. */
    @Nullable
    NpivSan npiv(String host) {
        return physical.get(host);
    }

    /** Makes what adapters need and is not there yet. */
    void open(Collection<MachineHba> adapters) {
        adapters.forEach(adapter -> open(adapter, adapters));
    }

    /** Makes what one adapter needs and is not there yet. */
    void open(MachineHba adapter, Collection<MachineHba> all) {
        if (adapter.spec().attachment() instanceof FibreChannelSpec.Attachment.Npiv(var host)) {
            physical.computeIfAbsent(host, NpivSan::open);
        }
        if (adapter.spec().attachment() instanceof FibreChannelSpec.Attachment.Files(var name, var _, var luns)) {
            SoftwareSan present = sans.get(name);
            SoftwareSan san = present == null ? make(name, all) : present;
            sans.put(name, san);
            for (FibreChannelSpec.Lun lun : luns) {
                SanVolume volume = volume(san, lun.drive());
                volume.presentTo(adapter.names().portA(), lun.number());
                volume.presentTo(adapter.names().portB(), lun.number());
            }
        }
    }

    /** Each fabric has as many ports as the adapter with the most paths in it. */
    private static SoftwareSan make(String name, Collection<MachineHba> adapters) {
        var fabrics = new LinkedHashMap<String, Integer>();
        for (MachineHba adapter : adapters) {
            FibreChannelSpec spec = adapter.spec();
            if (spec.attachment() instanceof FibreChannelSpec.Attachment.Files(var san, var paths, var _)
                    && san.equals(name)) {
                fabrics.merge(fabric(spec), paths, Math::max);
            }
        }
        SoftwareSan.Builder builder = SoftwareSan.builder(name);
        fabrics.forEach(builder::ports);
        return builder.build();
    }

    /** The fabric that an adapter at a SAN of files is in. */
    static String fabric(FibreChannelSpec spec) {
        return spec.fabric().isEmpty() ? SoftwareSan.ONLY_FABRIC : spec.fabric();
    }

    private static SanVolume volume(SoftwareSan san, DriveSpec drive) {
        Path file = drive.path();
        if (file == null) {
            throw new IllegalStateException("a disk without a file");
        }
        String name = file.toAbsolutePath().normalize().toString();
        for (SanVolume volume : san.volumes()) {
            if (volume.name().equals(name)) {
                return volume;
            }
        }
        if (!drive.overlay()) {
            return san.open(name, file, drive.options());
        }
        Disk image = DiskImage.open(file, drive.options());
        return san.open(name, OverlayDisk.inMemory(image, true), null);
    }

    /** Looks whether a file is there, before anything is started. */
    static void check(DriveSpec drive) {
        Path path = drive.path();
        if (path != null && (!Files.isReadable(path) || (drive.writesFile() && !Files.isWritable(path)))) {
            throw new DiskException(
                    DiskException.Kind.OPEN,
                    "can't " + (Files.isReadable(path) ? "write " : "read ") + path
                            + (Files.exists(path) ? ": permission denied" : ": no such file"),
                    Files.isReadable(path) ? "add it read-only or as an overlay" : "check the path");
        }
    }

    /** What is kept in memory can't be described. */
    static void requireSaved(FibreChannelSpec spec) {
        for (FibreChannelSpec.Lun lun : spec.luns()) {
            if (lun.drive().overlay()) {
                throw new HypervisorException(
                        "saved-state-drive",
                        lun.drive() + " keeps what the guest writes in memory, which is not saved",
                        "use a differencing disk");
            }
        }
    }

    void close() {
        for (SoftwareSan san : sans.values()) {
            try {
                san.close();
            } catch (DiskException e) {
                // The machine has to end all the same; the guest has been told of each write that failed.
                LOG.log(System.Logger.Level.WARNING, "closing " + san, e);
            }
        }
        sans.clear();
        physical.values().forEach(NpivSan::close);
        physical.clear();
    }
}
