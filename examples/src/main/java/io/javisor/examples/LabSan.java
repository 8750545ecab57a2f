package io.javisor.examples;

import io.javisor.api.MachineHba;
import io.javisor.api.VirtualMachine;
import io.javisor.lab.LabFabric;
import io.javisor.storage.fibrechannel.Wwn;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The SAN inside the lab, for machines with virtual ports (NPIV) where no host's adapter can be: one adapter and one unit. */
final class LabSan implements AutoCloseable {
    /** Set for the javisor that runs inside if it needs one. */
    static final String WANTED = "JAVISOR_LAB_SAN";

    private static final long UNIT_BYTES = 64L << 20;

    private final @Nullable LabFabric fabric;
    private final Map<Wwn, Integer> shown = new HashMap<>();

    private LabSan(@Nullable LabFabric fabric) {
        this.fabric = fabric;
    }

    /** Makes it if it is wanted. */
    static LabSan open() {
        boolean wanted = LabOptions.isInside() && "1".equals(System.getenv(WANTED));
        return new LabSan(wanted ? LabFabric.start(1, List.of(UNIT_BYTES)) : null);
    }

    /** Shows the unit to the adapters of a machine, as LUN 0. */
    void present(VirtualMachine vm) {
        LabFabric made = fabric;
        if (made == null) {
            return;
        }
        for (MachineHba adapter : vm.fibreChannel().adapters()) {
            for (Wwn name : List.of(adapter.names().portA(), adapter.names().portB())) {
                if (shown.putIfAbsent(name, 0) == null) {
                    made.present(name, 0, 0);
                }
            }
        }
    }

    @Override
    public void close() {
        LabFabric made = fabric;
        if (made != null) {
            made.close();
        }
    }
}
