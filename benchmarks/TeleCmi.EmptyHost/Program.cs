// The least that can be called a receiver: it reads the body and says 200, and nothing else.
var app = WebApplication.Create(args);
app.MapPost("/api/telecmi/events", async (HttpContext context) =>
{
    await context.Request.Body.CopyToAsync(Stream.Null);
    context.Response.ContentLength = 2;
    await context.Response.WriteAsync("{}");
});
await app.RunAsync();
