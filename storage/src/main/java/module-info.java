/** Disks, their image formats, the SCSI target and the synthetic SCSI controller. */
module io.javisor.storage {
    requires transitive io.javisor.partition;
    requires io.javisor.linux;
    requires transitive io.javisor.vmbus;

    exports io.javisor.storage.disk;
    exports io.javisor.storage.scsi;
    exports io.javisor.storage.storvsp;
}
