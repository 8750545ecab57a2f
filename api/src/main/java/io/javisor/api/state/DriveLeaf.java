package io.javisor.api.state;

import io.javisor.api.DriveAddress;
import io.javisor.api.DriveSpec;
import io.javisor.partition.state.StateException;
import io.javisor.partition.state.StateReader;
import io.javisor.partition.state.StateWriter;
import io.javisor.storage.disk.DiskOptions;
import io.javisor.storage.disk.ImageFormat;
import io.javisor.storage.disk.IoLimits;
import io.javisor.storage.disk.ParentPolicy;
import io.javisor.storage.storvsp.ScsiController;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.UUID;

/**
 * A drive's description, inside that of its machine. Which parents a differencing disk may have is not among it: a policy is
 * code, and restored disks have the default one.
 */
final class DriveLeaf {
    private DriveLeaf() {}

    static StateWriter save(DriveSpec drive) {
        StateWriter out = new StateWriter();
        switch (drive) {
            case DriveSpec(var kind, var path, var options, var overlay, var limits, var address) -> {
                out.put("kind", kind.name()).put("overlay", overlay);
                if (path != null) {
                    out.put("path", path.toAbsolutePath().normalize().toString());
                }
                options(out, options);
                out.put("iops", limits.iops()).put("bandwidth", limits.bandwidth());
                out.put("minimumIops", limits.minimumIops());
                if (address != null) {
                    out.put("controller", address.controller()).put("lun", address.lun());
                }
            }
        }
        return out;
    }

    private static void options(StateWriter out, DiskOptions options) {
        switch (options) {
            case DiskOptions(
                    var format,
                    var readOnly,
                    var direct,
                    var sectorBytes,
                    var identity,
                    var _,
                    var shared) -> {
                if (format != null) {
                    out.put("format", format.name());
                }
                out.put("readOnly", readOnly).put("direct", direct).put("sectorBytes", sectorBytes);
                out.put("shared", shared);
                if (identity != null) {
                    out.put("identity", identity.toString());
                }
            }
        }
    }

    static DriveSpec read(StateReader in) {
        int sectorBytes = in.getInt("sectorBytes", 512, 4096);
        try {
            return new DriveSpec(
                    DriveSpec.Kind.valueOf(in.getString("kind")),
                    in.has("path") ? Path.of(in.getString("path")) : null,
                    new DiskOptions(
                            in.has("format") ? ImageFormat.valueOf(in.getString("format")) : null,
                            in.getBoolean("readOnly"),
                            in.getBoolean("direct"),
                            sectorBytes,
                            in.has("identity") ? UUID.fromString(in.getString("identity")) : null,
                            ParentPolicy.sameFolder(),
                            in.has("shared") && in.getBoolean("shared")), // states of before have none
                    in.getBoolean("overlay"),
                    new IoLimits(
                            in.getLong("iops"),
                            in.getLong("bandwidth"),
                            in.has("minimumIops") ? in.getLong("minimumIops") : 0), // states of before have none
                    in.has("controller")
                            ? new DriveAddress(
                                    in.getInt("controller", 0, ScsiController.MOST_CONTROLLERS - 1),
                                    in.getInt("lun", 0, ScsiController.MOST_UNITS - 1))
                            : null);
        } catch (InvalidPathException e) {
            throw new StateException("spec.drive.path: " + e.getMessage());
        } catch (IllegalArgumentException e) {
            throw new StateException("spec.drive: " + e.getMessage());
        }
    }
}
