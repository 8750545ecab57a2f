/** Disks, their image formats, the SCSI target, SANs, and the synthetic SCSI controller and Fibre Channel adapter. */
module io.javisor.storage {
    requires transitive io.javisor.partition;
    requires io.javisor.linux;
    requires transitive io.javisor.vmbus;

    exports io.javisor.storage.disk;
    exports io.javisor.storage.fcoe;
    exports io.javisor.storage.fibrechannel;
    exports io.javisor.storage.npiv;
    exports io.javisor.storage.scsi;
    exports io.javisor.storage.storvsp;
}
