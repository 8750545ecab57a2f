package io.javisor.partition.synic;

/** Takes the messages that the guest posts with HvCallPostMessage (0x005C). */
@FunctionalInterface
public interface MessagePort {
    /**
     * A message from the guest. Called on the thread of the vCPU that posted it, possibly on several at once; must not
     * block: whoever needs time queues it, and answers {@link HvStatus#INSUFFICIENT_BUFFERS} when the queue is full.
     *
     * @param connectionId to whom, as the guest gave it (any value)
     * @param type the guest's message type (any value)
     * @param payload 0 to {@value SynIc#MAX_PAYLOAD} bytes, copied out of the guest once; owned by the callee
     * @return what the hypercall returns
     */
    HvStatus posted(int connectionId, int type, byte[] payload);
}
