using System.Net;
using System.Net.Http.Headers;

namespace Microsoft.Azure.Functions.Worker
{
    public abstract class FunctionContext
    {
        public abstract string InvocationId { get; }
    }
}

namespace Microsoft.Azure.Functions.Worker.Http
{
    public class HttpHeadersCollection : HttpHeaders;

    public abstract class HttpRequestData(FunctionContext functionContext)
    {
        public FunctionContext FunctionContext { get; } = functionContext;

        public abstract string Method { get; }

        public abstract Uri Url { get; }

        public abstract HttpHeadersCollection Headers { get; }

        public abstract Stream Body { get; }

        public abstract HttpResponseData CreateResponse();
    }

    public abstract class HttpResponseData(FunctionContext functionContext)
    {
        public FunctionContext FunctionContext { get; } = functionContext;

        public abstract HttpStatusCode StatusCode { get; set; }

        public abstract HttpHeadersCollection Headers { get; set; }

        public abstract Stream Body { get; set; }
    }
}
