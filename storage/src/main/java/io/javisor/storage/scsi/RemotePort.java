package io.javisor.storage.scsi;

import io.javisor.storage.disk.IoEngine;
import org.jspecify.annotations.Nullable;

/** A target port as one initiator port sees it (an I_T nexus): who answers for an address. Safe from any thread. */
public interface RemotePort {
    /**
     * Whether commands to this LUN are the port's to answer, be it by an error. For others the initiator is told that there is
     * no such unit, which makes Linux forget the disk.
     */
    boolean answersFor(int lun);

    /** Runs a command to its end, on the calling thread; also one to a LUN that is not there. */
    ScsiResult execute(int lun, ScsiCommand command);

    /**
     * Runs a command that waits for nothing, on the calling thread.
     *
     * @return null if it would wait, or can't be told: then {@link #execute} runs it
     */
    default @Nullable ScsiResult tryExecute(int lun, ScsiCommand command) {
        return null;
    }

    /**
     * Begins a command that needs no thread to wait.
     *
     * @param engine that does it
     * @param completion told if it has begun, once it has ended; if not done, {@link #execute} is to run it
     * @return false if there is no such way now: then nothing has happened that {@link #execute} may not do again
     */
    default boolean begin(int lun, ScsiCommand command, IoEngine engine, IoEngine.Completion completion) {
        return false;
    }

    /** Counts a command against what its unit may be asked, and tells how many nanoseconds it has to wait. */
    long pace(int lun, long bytes);

    /** A port that the way to is broken: every command ends, with an error. */
    static RemotePort unreachable() {
        return Unreachable.PORT;
    }
}

/** The port behind a broken way. */
enum Unreachable implements RemotePort {
    PORT;

    @Override
    public boolean answersFor(int lun) {
        return true;
    }

    @Override
    public ScsiResult execute(int lun, ScsiCommand command) {
        return ScsiResult.pathFailed();
    }

    @Override
    public long pace(int lun, long bytes) {
        return 0;
    }
}
