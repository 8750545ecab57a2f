package io.javisor.jmh;

import io.javisor.storage.disk.Disk;
import io.javisor.storage.fibrechannel.PortNames;
import io.javisor.storage.fibrechannel.SoftwareSan;
import io.javisor.storage.fibrechannel.Wwn;
import io.javisor.storage.fibrechannel.WwnSet;
import io.javisor.storage.scsi.CopyDomain;
import io.javisor.storage.scsi.DiskUnit;
import io.javisor.storage.storvsp.FibreChannelAdapter;
import io.javisor.vmbus.channel.ChannelDevice;
import java.util.concurrent.Executor;

/** A Fibre Channel adapter at a software SAN with the disk as its only volume, behind two target ports, of which one is used. */
final class FibreChannelPath {
    private static final Wwn NODE = Wwn.of("c003ff0000ffff00");
    private static final PortNames NAMES =
            new PortNames(NODE, Wwn.of("c003ff0000010000"), NODE, Wwn.of("c003ff0000010001"));

    private FibreChannelPath() {}

    static ChannelDevice adapter(Disk disk, Executor workers) {
        SoftwareSan san = SoftwareSan.builder("jmh").ports("a", 2).build();
        san.add("disk", new DiskUnit(disk)).present(0);
        var adapter = new FibreChannelAdapter(0, NAMES, WwnSet.A, workers, 0, new CopyDomain());
        adapter.connect(san, "");
        return adapter;
    }
}
