/// What a page does beside being read: a read-out of the values under the pointer, or under the arrow keys.
///
/// It reads the drawn paths, so that the page holds its values once. Nothing depends on it. It is free of `<` and `&`, which
/// would not be XML.
enum PageScript {
    static let text = """

        (function(){"use strict";
        var svgName="http://www.w3.org/2000/svg";
        function segments(path){var all=[],now=null,x=0,y=0;
        path.getAttribute("d").replace(/([MLHVh])([^MLHVh]*)/g,function(_,c,text){
        var n=text.trim().split(/[ ,]+/).map(Number);
        if(c==="M"){now=[];all.push(now);x=n[0];y=n[1]}
        else if(c==="L"){x=n[0];y=n[1]}else if(c==="H"){x=n[0]}else if(c==="V"){y=n[0]}else{return ""}
        now.push([x,y]);return ""});return all}
        function digits(span){return Math.max(0,Math.min(6,2-Math.floor(Math.log10(span))))}
        function found(line,x,reach){var best=null;
        line.parts.forEach(function(part){
        if(line.kind==="points"){var d=Math.abs(part[0][0]-x);if(reach>=d){if(best===null||best[2]>d){best=[part[0][0],part[0][1],d]}}return}
        if(part[0][0]>x){return}
        if(x>part[part.length-1][0]){return}
        var low=0,high=part.length-1;
        while(high>low){var middle=Math.ceil((low+high)/2);if(part[middle][0]>x){high=middle-1}else{low=middle}}
        var y=part[low][1];
        if(line.kind==="line"){var next=part[low+1];if(next){if(next[0]>part[low][0]){y+=(next[1]-y)*(x-part[low][0])/(next[0]-part[low][0])}}}
        best=[x,y,0]});return best}
        document.querySelectorAll(".canvas[data-plot]").forEach(function(canvas){
        var set=canvas.dataset,from=+set.from,until=+set.until,lower=+set.lower,upper=+set.upper,height=+set.height,top=+set.top;
        var svg=canvas.querySelector("svg"),lines=null,share=null;
        var out=document.createElement("output");out.className="readout";out.setAttribute("aria-live","polite");
        canvas.after(out);
        var cursor=document.createElementNS(svgName,"line");cursor.setAttribute("class","cursor");
        cursor.setAttribute("y1",top);cursor.setAttribute("y2",top+height);cursor.setAttribute("visibility","hidden");svg.appendChild(cursor);
        canvas.tabIndex=0;canvas.setAttribute("role","group");
        canvas.setAttribute("aria-label",svg.querySelector("title").textContent+": left and right arrow keys read out values");
        function show(at){share=Math.max(0,Math.min(1,at));
        if(lines===null){lines=Array.from(canvas.querySelectorAll(".data path")).map(function(path){
        var kind=/l-([a-z]+)/.exec(path.getAttribute("class"))[1];
        return {name:path.dataset.name,kind:kind,parts:segments(path)}})}
        var time=new Date(from+share*(until-from)).toISOString(),span=until-from;
        var text=(span>=86400000?time.slice(0,10)+" ":"")+(600000>span?time.slice(11,23):time.slice(11,19))+" UTC";
        out.textContent="";var head=document.createElement("b");head.textContent=text;out.appendChild(head);
        lines.forEach(function(line){var hit=found(line,share*1000,8000/canvas.clientWidth);
        if(hit===null){return}
        var value=lower+(1-hit[1]/height)*(upper-lower),item=document.createElement("span");
        item.textContent=line.name+" "+value.toFixed(digits(upper-lower));out.append(", ",item)});
        var x=share*100+"%";cursor.setAttribute("x1",x);cursor.setAttribute("x2",x);cursor.setAttribute("visibility","visible")}
        function hide(){cursor.setAttribute("visibility","hidden");out.textContent="";share=null}
        canvas.addEventListener("pointermove",function(e){var box=svg.getBoundingClientRect();show((e.clientX-box.left)/box.width)});
        canvas.addEventListener("pointerdown",function(e){var box=svg.getBoundingClientRect();show((e.clientX-box.left)/box.width)});
        canvas.addEventListener("pointerleave",hide);
        canvas.addEventListener("blur",hide);
        canvas.addEventListener("keydown",function(e){
        var step={ArrowLeft:-0.01,ArrowRight:0.01,PageUp:-0.1,PageDown:0.1}[e.key];
        if(e.key==="Escape"){hide();return}
        if(e.key==="Home"){show(0)}else if(e.key==="End"){show(1)}
        else if(step){show((share===null?0.5:share)+step)}else{return}
        e.preventDefault()})})
        })();

        """
}
