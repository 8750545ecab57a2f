package io.javisor.storage.scsi;

/** Where reservations outlive the process (SPC-4's "activate persist through power loss"). Called under a lock. */
public interface ReservationStore {
    /** What was saved last; empty if nothing was. */
    byte[] load();

    /** Saves; on stable storage when this returns. */
    void save(byte[] state);
}
